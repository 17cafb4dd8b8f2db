// Data channels over an SCTP association, opened by the other end (RFC 8831, RFC 8832).
//
// Text and binary messages both ways. A message longer than the limit is dropped and said so, and
// the channel lives on. Channels that the other end wants unordered or unreliable are served
// reliably and in order in our direction: what we send is small and rare.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "media/endpoint.h"
#include "media/peer.h"
#include "media/sctp.h"

namespace stagedoor::media {

// DATA_CHANNEL_OPEN (RFC 8832 5.1); the view points into the message. Pure.
struct ChannelOpening {
  std::string_view label;
};
std::optional<ChannelOpening> read_channel_opening(Bytes message);

class DataChannelListener {
 public:
  virtual ~DataChannelListener() = default;
  virtual void on_channel_packet(Bytes packet) = 0;  // to be carried to the other end
  virtual void on_channel_open(ChannelId channel, std::string_view label) = 0;
  virtual void on_channel_message(ChannelId channel, MessageKind kind,
                                  std::string_view message) = 0;
  virtual void on_channel_message_refused(ChannelId channel) = 0;
  virtual void on_channel_closed(ChannelId channel) = 0;
};

// Used by one thread. At most 8 channels with labels of at most 256 bytes; more are closed again.
class DataChannels : private SctpListener {
 public:
  static constexpr std::size_t channels_max = 8;
  static constexpr std::size_t label_bytes_max = 256;

  static base::Result<std::unique_ptr<DataChannels>> open(Stack& stack,
                                                          DataChannelListener& listener,
                                                          SctpAssociation::Options options);

  void on_packet(Bytes packet) { association_->on_packet(packet); }
  void on_tick(Moment now) { association_->on_tick(now); }

  // `unavailable`: no such channel, or the other end has not taken what was sent before.
  base::Result<base::Done> send(ChannelId channel, MessageKind kind, std::string_view message);

  const std::vector<ChannelId>& channels() const { return open_; }

  // What arrived on a stream, whole; public for the fuzzer.
  void on_sctp_message(const SctpMessage& message) override;

 private:
  explicit DataChannels(DataChannelListener& listener) : listener_(listener) {}
  void on_sctp_packet(Bytes packet) override;
  void on_sctp_stream_closed(std::uint16_t stream) override;
  void on_sctp_lost() override;
  void on_control(const SctpMessage& message);
  bool is_open(ChannelId channel) const;

  DataChannelListener& listener_;
  std::vector<ChannelId> open_;
  std::unique_ptr<SctpAssociation> association_;
};

}  // namespace stagedoor::media
