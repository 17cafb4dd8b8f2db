// SPDX-License-Identifier: Apache-2.0

#include "media/data_channel.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "media/big_endian.h"

namespace stagedoor::media {

namespace {

// RFC 8831 8, payload protocol identifiers.
enum PayloadKind : std::uint32_t {
  control = 50,
  text = 51,
  binary = 53,
  empty_text = 56,
  empty_binary = 57,
};
constexpr std::uint8_t channel_ack = 0x02, channel_open = 0x03;
constexpr std::size_t opening_bytes = 12;

}  // namespace

std::optional<ChannelOpening> read_channel_opening(Bytes message) {
  if (message.size() < opening_bytes || message[0] != channel_open) return std::nullopt;
  const std::size_t label = read_u16(&message[8]), protocol = read_u16(&message[10]);
  if (message.size() != opening_bytes + label + protocol) return std::nullopt;
  return ChannelOpening{.label = base::as_text(message.subspan(opening_bytes, label))};
}

base::Result<std::unique_ptr<DataChannels>> DataChannels::open(Stack& stack,
                                                               DataChannelListener& listener,
                                                               SctpAssociation::Options options) {
  std::unique_ptr<DataChannels> channels(new DataChannels(listener));
  auto association = SctpAssociation::open(stack, *channels, options);
  if (!association) return std::unexpected(association.error());
  channels->association_ = std::move(*association);
  return channels;
}

bool DataChannels::is_open(ChannelId channel) const {
  return std::ranges::find(open_, channel) != open_.end();
}

base::Result<base::Done> DataChannels::send(ChannelId channel, MessageKind kind,
                                            std::string_view message) {
  if (!is_open(channel)) return base::fail(base::ErrorCode::unavailable, "no such channel");
  // RFC 8831 6.6: SCTP has no empty messages, so an empty one is a zero under a name of its own.
  if (message.empty()) {
    const std::uint8_t zero = 0;
    return association_->send(channel, kind == MessageKind::text ? empty_text : empty_binary,
                              {&zero, 1});
  }
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(message.data()), message.size());
  return association_->send(channel, kind == MessageKind::text ? text : binary, bytes);
}

void DataChannels::on_sctp_packet(Bytes packet) {
  listener_.on_channel_packet(packet);
}

void DataChannels::on_sctp_message(const SctpMessage& message) {
  if (message.payload_kind == control) return on_control(message);
  if (!is_open(message.stream)) return;
  if (message.is_too_long) return listener_.on_channel_message_refused(message.stream);
  const auto content = base::as_text(message.bytes);
  switch (message.payload_kind) {
    case text:
      return listener_.on_channel_message(message.stream, MessageKind::text, content);
    case binary:
      return listener_.on_channel_message(message.stream, MessageKind::binary, content);
    case empty_text:
      return listener_.on_channel_message(message.stream, MessageKind::text, {});
    case empty_binary:
      return listener_.on_channel_message(message.stream, MessageKind::binary, {});
    default:
      return;
  }
}

void DataChannels::on_control(const SctpMessage& message) {
  const auto opening = read_channel_opening(message.bytes);
  if (!opening) return;  // an ACK, of an opening that we never made, or garbage
  const bool is_known = is_open(message.stream);
  if (!is_known && (open_.size() == channels_max || opening->label.size() > label_bytes_max)) {
    if (association_) association_->close_stream(message.stream);
    return;
  }
  if (association_)
    static_cast<void>(association_->send(message.stream, control, {&channel_ack, 1}));
  if (is_known) return;
  open_.push_back(message.stream);
  listener_.on_channel_open(message.stream, opening->label);
}

void DataChannels::on_sctp_stream_closed(std::uint16_t stream) {
  if (std::erase(open_, stream) == 0) return;
  association_->close_stream(stream);
  listener_.on_channel_closed(stream);
}

void DataChannels::on_sctp_lost() {
  for (const auto channel : std::exchange(open_, {})) listener_.on_channel_closed(channel);
}

}  // namespace stagedoor::media
