// Any bytes as messages on streams: never more channels than the limit, nothing told of a channel
// that is not open, no label beyond its limit; and any bytes as an SCTP packet.
//
// SPDX-License-Identifier: Apache-2.0

#include <cstdlib>
#include <set>

#include "media/data_channel.h"

using namespace stagedoor::media;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

struct Watch : DataChannelListener {
  std::set<ChannelId> open;
  void on_channel_packet(Bytes) override {}
  void on_channel_open(ChannelId channel, std::string_view label) override {
    must(open.insert(channel).second && open.size() <= DataChannels::channels_max);
    must(label.size() <= DataChannels::label_bytes_max);
  }
  void on_channel_message(ChannelId channel, MessageKind, std::string_view) override {
    must(open.contains(channel));
  }
  void on_channel_message_refused(ChannelId channel) override { must(open.contains(channel)); }
  void on_channel_closed(ChannelId channel) override { must(open.erase(channel) == 1); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Stack stack;
  Watch watch;
  auto channels = DataChannels::open(stack, watch, {});
  must(channels.has_value());
  (*channels)->on_tick(Moment(std::chrono::seconds(1)));
  (*channels)->on_packet({data, size});
  // Messages, each of: stream, kind, length, bytes.
  Bytes rest(data, size);
  while (rest.size() > 3) {
    SctpMessage message;
    message.stream = rest[0] & 15;
    message.payload_kind = rest[1] & 63;
    message.is_too_long = rest[1] & 128;
    const auto length = std::min<std::size_t>(rest[2], rest.size() - 3);
    if (!message.is_too_long)
      message.bytes.assign(rest.begin() + 3, rest.begin() + 3 + static_cast<long>(length));
    (*channels)->on_sctp_message(message);
    rest = rest.subspan(3 + length);
  }
  return 0;
}
