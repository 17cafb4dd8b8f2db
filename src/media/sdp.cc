// SPDX-License-Identifier: Apache-2.0

#include "media/sdp.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/network.h"

namespace stagedoor::media {

namespace {

using base::ErrorCode;

constexpr std::size_t line_bytes_max = 4096;
constexpr std::size_t lines_max = 4096;

std::unexpected<base::Error> refuse(ErrorCode code, std::string_view sentence) {
  return base::fail(code, "offer: " + std::string(sentence), std::string(sentence));
}
std::unexpected<base::Error> malformed(std::string_view sentence) {
  return refuse(ErrorCode::malformed, sentence);
}
std::unexpected<base::Error> unsupported(std::string_view sentence) {
  return refuse(ErrorCode::unsupported, sentence);
}

// What stands before `mark`; `text` becomes what stands after it.
std::string_view cut(std::string_view& text, char mark) {
  const auto at = text.find(mark);
  const auto head = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return head;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stopped != end || text.empty()) return std::nullopt;
  return number;
}

bool is_same(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// RFC 8866 9, token; what we write back must be nothing else.
bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7f &&
           std::string_view("\"(),/:;<=>?@[\\]").find(c) == std::string_view::npos;
  });
}

bool is_protocol(std::string_view text) {
  while (!text.empty())
    if (!is_token(cut(text, '/'))) return false;
  return true;
}

// RFC 8839 5.4.
bool is_ice_text(std::string_view text, std::size_t least) {
  return text.size() >= least && text.size() <= 256 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  c == '+' || c == '/';
         });
}

std::optional<CertificateHash> read_fingerprint(std::string_view text) {
  CertificateHash hash;
  if (text.size() != hash.size() * 3 - 1) return std::nullopt;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    if (i > 0 && text[3 * i - 1] != ':') return std::nullopt;
    const char* const pair = text.data() + 3 * i;
    const auto [stopped, error] = std::from_chars(pair, pair + 2, hash[i], 16);
    if (error != std::errc{} || stopped != pair + 2) return std::nullopt;
  }
  return hash;
}

// What may stand above the first m-line for all of them, or below each.
struct Transport {
  std::string_view ice_user, ice_password, setup;
  std::optional<CertificateHash> certificate;
};

struct ReadSection {
  Section section;
  Transport transport;
  int port = 0;
  bool is_bundle_only = false, has_rtcp_mux = false;
  std::vector<std::uint8_t> formats;          // payload types, in order of preference
  std::array<bool, 128> is_vp8{}, is_opus{};  // by payload type
  enum Feedback : std::uint8_t { nack = 1, pli = 2, fir = 4 };
  std::array<std::uint8_t, 128> feedback{};
  std::uint8_t feedback_for_all = 0;
  std::uint16_t sctp_port = 5000;
  std::size_t message_bytes_max = channel_message_max;
};

class OfferReader {
 public:
  base::Result<Offer> read(std::string_view sdp);

 private:
  base::Result<base::Done> take_line(std::string_view line);
  base::Result<base::Done> take_section(std::string_view line);
  base::Result<base::Done> take_attribute(std::string_view name, std::string_view value);
  bool take_transport(std::string_view name, std::string_view value);
  void take_media_attribute(ReadSection& in, std::string_view name, std::string_view value);
  base::Result<Offer> conclude();
  base::Result<base::Done> choose(ReadSection& read, Offer& offer);
  void choose_picture(ReadSection& read, Offer& offer);
  void choose_sound(ReadSection& read, Offer& offer);
  void choose_channels(ReadSection& read, Offer& offer);
  bool is_bundled(std::string_view mid) const;

  Transport session_;
  std::string_view bundle_;
  bool is_lite_ = false;
  std::vector<ReadSection> sections_;
  std::optional<Transport> transport_;  // of the BUNDLE: its first section's
};

base::Result<Offer> OfferReader::read(std::string_view sdp) {
  if (sdp.size() > offer_bytes_max) return malformed("The offer is longer than 64 KiB.");
  std::size_t lines = 0;
  while (!sdp.empty()) {
    auto line = cut(sdp, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (++lines > lines_max || line.size() > line_bytes_max)
      return malformed("The offer has too many or too long lines.");
    if (line.size() < 2 || line[1] != '=' || line.find('\0') != std::string_view::npos)
      return malformed("The offer is not SDP: each line must be a letter, '=' and a value.");
    if (lines == 1 && line != "v=0") return malformed("The offer must begin with v=0.");
    if (const auto taken = take_line(line); !taken) return std::unexpected(taken.error());
  }
  return conclude();
}

base::Result<base::Done> OfferReader::take_line(std::string_view line) {
  if (line[0] == 'm') return take_section(line.substr(2));
  if (line[0] != 'a') return base::Done{};
  auto value = line.substr(2);
  const auto name = cut(value, ':');
  return take_attribute(name, value);
}

base::Result<base::Done> OfferReader::take_section(std::string_view line) {
  if (sections_.size() == offer_sections_max) return malformed("The offer has over 8 m-lines.");
  ReadSection read;
  read.section.kind = cut(line, ' ');
  const auto port = number_of<std::uint16_t>(cut(line, ' '));
  read.section.protocol = cut(line, ' ');
  auto formats = line;
  read.section.first_format = cut(line, ' ');
  if (!is_token(read.section.kind) || !port || !is_protocol(read.section.protocol) ||
      !is_token(read.section.first_format))
    return malformed("An m-line of the offer is broken.");
  read.port = *port;
  while (!formats.empty() && read.formats.size() < 128) {
    const auto format = number_of<std::uint8_t>(cut(formats, ' '));
    if (format && *format < 128) read.formats.push_back(*format);
  }
  sections_.push_back(std::move(read));
  return base::Done{};
}

base::Result<base::Done> OfferReader::take_attribute(std::string_view name,
                                                     std::string_view value) {
  if (take_transport(name, value)) return base::Done{};
  if (sections_.empty()) {
    if (name == "ice-lite") is_lite_ = true;
    if (name == "group" && value.starts_with("BUNDLE ")) bundle_ = value.substr(7);
    return base::Done{};
  }
  auto& section = sections_.back().section;
  if (name == "mid") {
    const auto is_taken = [&](const ReadSection& other) { return other.section.mid == value; };
    if (!is_token(value) || std::ranges::any_of(sections_, is_taken))
      return malformed("A mid of the offer is broken, or there twice.");
    section.mid = value;
    return base::Done{};
  }
  take_media_attribute(sections_.back(), name, value);
  return base::Done{};
}

bool OfferReader::take_transport(std::string_view name, std::string_view value) {
  auto& transport = sections_.empty() ? session_ : sections_.back().transport;
  if (name == "ice-ufrag") {
    transport.ice_user = value;
  } else if (name == "ice-pwd") {
    transport.ice_password = value;
  } else if (name == "setup") {
    transport.setup = value;
  } else if (name == "fingerprint") {
    const auto method = cut(value, ' ');
    if (is_same(method, "sha-256")) transport.certificate = read_fingerprint(value);
  } else {
    return false;
  }
  return true;
}

void OfferReader::take_media_attribute(ReadSection& in, std::string_view name,
                                       std::string_view value) {
  if (name == "sendrecv") in.section.direction = Direction::sendrecv;
  if (name == "sendonly") in.section.direction = Direction::sendonly;
  if (name == "recvonly") in.section.direction = Direction::recvonly;
  if (name == "inactive") in.section.direction = Direction::inactive;
  if (name == "bundle-only") in.is_bundle_only = true;
  if (name == "rtcp-mux") in.has_rtcp_mux = true;
  if (name == "sctp-port") in.sctp_port = number_of<std::uint16_t>(value).value_or(0);
  if (name == "max-message-size") {
    // RFC 8841 6.1: 0 is no limit.
    const auto bytes = number_of<std::uint64_t>(value).value_or(channel_message_max);
    in.message_bytes_max =
        bytes == 0 ? channel_message_max : std::min<std::uint64_t>(bytes, channel_message_max);
  }
  if (name == "rtpmap") {
    const auto format = number_of<std::uint8_t>(cut(value, ' '));
    if (!format || *format > 127) return;
    in.is_vp8[*format] = is_same(value, "VP8/90000");
    in.is_opus[*format] = is_same(value, "opus/48000/2");
  }
  if (name == "rtcp-fb") {
    const auto whom = cut(value, ' ');
    const auto format = number_of<std::uint8_t>(whom);
    if (whom != "*" && (!format || *format > 127)) return;
    auto& feedback = whom == "*" ? in.feedback_for_all : in.feedback[*format];
    if (value == "nack") feedback |= ReadSection::nack;
    if (value == "nack pli") feedback |= ReadSection::pli;
    if (value == "ccm fir") feedback |= ReadSection::fir;
  }
}

bool OfferReader::is_bundled(std::string_view mid) const {
  auto mids = bundle_;
  while (!mids.empty())
    if (cut(mids, ' ') == mid) return true;
  return false;
}

base::Result<Offer> OfferReader::conclude() {
  if (sections_.empty()) return malformed("The offer has no m-line.");
  if (is_lite_) return unsupported("The offer is ICE-lite, as this server is: nobody would check.");
  Offer offer;
  for (auto& read : sections_) {
    if (const auto chosen = choose(read, offer); !chosen) return std::unexpected(chosen.error());
    offer.sections.push_back(read.section);
  }
  const auto is_picture = [](const Section& section) { return section.use == Use::picture; };
  if (std::ranges::none_of(offer.sections, is_picture))
    return unsupported("The offer must have a video m-line that receives VP8, within the BUNDLE.");

  if (!transport_->certificate) return unsupported("The offer must have a SHA-256 fingerprint.");
  if (transport_->setup != "actpass" && transport_->setup != "active")
    return unsupported("The offer must let its side be active in DTLS: a=setup:actpass.");
  if (!is_ice_text(transport_->ice_user, 4) || !is_ice_text(transport_->ice_password, 22))
    return malformed("The offer's ice-ufrag or ice-pwd is missing or broken.");
  offer.certificate = *transport_->certificate;
  offer.ice_user = transport_->ice_user;
  offer.ice_password = transport_->ice_password;
  return offer;
}

base::Result<base::Done> OfferReader::choose(ReadSection& read, Offer& offer) {
  // RFC 8843 6: a section of port 0 is off, unless it says that it only lives in the BUNDLE.
  if (read.port == 0 && !read.is_bundle_only) return base::Done{};
  if (read.section.mid.empty() || !is_bundled(read.section.mid)) return base::Done{};
  if (read.section.kind == "video") choose_picture(read, offer);
  if (read.section.kind == "audio") choose_sound(read, offer);
  if (read.section.kind == "application") choose_channels(read, offer);
  if (read.section.use == Use::refused) return base::Done{};
  const bool is_rtp = read.section.use != Use::channels;
  if (is_rtp && !read.has_rtcp_mux) return unsupported("The offer must have a=rtcp-mux.");
  if (!transport_) {
    auto& own = read.transport;
    if (own.ice_user.empty()) own.ice_user = session_.ice_user;
    if (own.ice_password.empty()) own.ice_password = session_.ice_password;
    if (own.setup.empty()) own.setup = session_.setup;
    if (!own.certificate) own.certificate = session_.certificate;
    transport_ = own;
  }
  return base::Done{};
}

void OfferReader::choose_picture(ReadSection& read, Offer& offer) {
  const auto format =
      std::ranges::find_if(read.formats, [&](std::uint8_t f) { return read.is_vp8[f]; });
  const auto direction = read.section.direction;
  const bool receives = direction == Direction::sendrecv || direction == Direction::recvonly;
  if (offer.vp8 != 0 || format == read.formats.end() || !receives) return;
  if (read.section.protocol != "UDP/TLS/RTP/SAVPF") return;
  read.section.use = Use::picture;
  offer.vp8 = *format;
  const auto feedback = read.feedback[*format] | read.feedback_for_all;
  offer.has_nack = feedback & ReadSection::nack;
  offer.has_pli = feedback & ReadSection::pli;
  offer.has_fir = feedback & ReadSection::fir;
}

void OfferReader::choose_sound(ReadSection& read, Offer& offer) {
  const auto format =
      std::ranges::find_if(read.formats, [&](std::uint8_t f) { return read.is_opus[f]; });
  if (offer.has_sound || format == read.formats.end()) return;
  if (read.section.protocol != "UDP/TLS/RTP/SAVPF") return;
  read.section.use = Use::sound;
  offer.has_sound = true;
  offer.opus = *format;
}

void OfferReader::choose_channels(ReadSection& read, Offer& offer) {
  if (offer.has_channels || read.section.protocol != "UDP/DTLS/SCTP" ||
      read.section.first_format != "webrtc-datachannel" || read.sctp_port == 0)
    return;
  read.section.use = Use::channels;
  offer.has_channels = true;
  offer.sctp_port = read.sctp_port;
  offer.message_bytes_max = read.message_bytes_max;
}

void append(std::string& out, std::initializer_list<std::string_view> parts) {
  for (const auto part : parts) out += part;
  out += "\r\n";
}

std::string_view answer_to(Use use, Direction offered) {
  if (use == Use::picture) return "a=sendonly";
  switch (offered) {
    case Direction::sendrecv:
      return "a=sendrecv";
    case Direction::recvonly:
      return "a=sendonly";
    case Direction::sendonly:
      return "a=recvonly";
    case Direction::inactive:
      return "a=inactive";
  }
  return {};
}

void write_transport(std::string& out, const AnswerParts& parts) {
  append(out, {"a=ice-ufrag:", parts.ice_user});
  append(out, {"a=ice-pwd:", parts.ice_password});
  append(out, {"a=fingerprint:sha-256 ", fingerprint_text(parts.certificate)});
  append(out, {"a=setup:passive"});
  // RFC 8445 5.1.2: a host candidate, the sooner named the better.
  std::uint32_t number = 0;
  for (const auto& [address, port] : parts.candidates) {
    const auto priority = 126u << 24 | (65535 - number) << 8 | 255;
    append(out, {"a=candidate:", std::to_string(++number), " 1 udp ", std::to_string(priority), " ",
                 base::text_of(address), " ", std::to_string(port), " typ host"});
  }
  append(out, {"a=end-of-candidates"});
}

void write_source(std::string& out, std::string_view track, std::uint32_t source,
                  const AnswerParts& parts) {
  append(out, {"a=msid:", parts.stream_name, " ", track});
  append(out, {"a=ssrc:", std::to_string(source), " cname:", parts.stream_name});
}

void write_picture(std::string& out, const Offer& offer, const AnswerParts& parts) {
  const auto vp8 = std::to_string(offer.vp8);
  append(out, {"a=rtcp-mux"});
  append(out, {"a=rtpmap:", vp8, " VP8/90000"});
  if (offer.has_nack) append(out, {"a=rtcp-fb:", vp8, " nack"});
  if (offer.has_pli) append(out, {"a=rtcp-fb:", vp8, " nack pli"});
  if (offer.has_fir) append(out, {"a=rtcp-fb:", vp8, " ccm fir"});
  write_source(out, "v0", parts.picture_source, parts);
}

void write_sound(std::string& out, const Offer& offer, const AnswerParts& parts) {
  const auto opus = std::to_string(offer.opus);
  append(out, {"a=rtcp-mux"});
  append(out, {"a=rtpmap:", opus, " opus/48000/2"});
  append(out, {"a=fmtp:", opus, " minptime=10;useinbandfec=1"});
  write_source(out, "a0", parts.sound_source, parts);
}

void write_section(std::string& out, const Section& section, const Offer& offer,
                   const AnswerParts& parts) {
  const auto format = section.use == Use::picture ? std::to_string(offer.vp8)
                      : section.use == Use::sound ? std::to_string(offer.opus)
                                                  : section.first_format;
  const bool is_used = section.use != Use::refused;
  append(out, {"m=", section.kind, is_used ? " 9 " : " 0 ", section.protocol, " ", format});
  append(out, {"c=IN IP4 0.0.0.0"});
  if (!section.mid.empty()) append(out, {"a=mid:", section.mid});
  if (!is_used) return;
  write_transport(out, parts);
  if (section.use == Use::channels) {
    append(out, {"a=sctp-port:5000"});
    append(out, {"a=max-message-size:", std::to_string(channel_message_max)});
    return;
  }
  append(out, {answer_to(section.use, section.direction)});
  if (section.use == Use::picture) write_picture(out, offer, parts);
  if (section.use == Use::sound) write_sound(out, offer, parts);
}

}  // namespace

base::Result<Offer> read_offer(std::string_view sdp) {
  return OfferReader().read(sdp);
}

std::string write_answer(const Offer& offer, const AnswerParts& parts) {
  std::string out;
  out.reserve(4096);
  append(out, {"v=0"});
  append(out, {"o=- ", std::to_string(parts.session_id), " ", std::to_string(parts.session_version),
               " IN IP4 127.0.0.1"});
  append(out, {"s=-"});
  append(out, {"t=0 0"});
  out += "a=group:BUNDLE";
  for (const auto& section : offer.sections)
    if (section.use != Use::refused) out += " " + section.mid;
  out += "\r\n";
  append(out, {"a=ice-lite"});
  append(out, {"a=msid-semantic: WMS ", parts.stream_name});
  for (const auto& section : offer.sections) write_section(out, section, offer, parts);
  return out;
}

std::string fingerprint_text(const CertificateHash& hash) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  text.reserve(hash.size() * 3);
  for (const auto byte : hash) {
    if (!text.empty()) text += ':';
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

}  // namespace stagedoor::media
