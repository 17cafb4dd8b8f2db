// SPDX-License-Identifier: Apache-2.0

#include "http/request_reader.h"

#include <gtest/gtest.h>

#include <cstring>

namespace stagedoor::http {
namespace {

using Progress = RequestReader::Progress;

constexpr ReaderLimits limits{.head_bytes_max = 2048, .body_bytes_max = 100};

void give(InputBuffer& input, RequestReader& reader, std::string_view bytes) {
  reader.rebase(input.make_room(bytes.size()));
  std::memcpy(input.room(), bytes.data(), bytes.size());
  input.received(bytes.size());
}

struct Reading {
  explicit Reading(std::string_view bytes, ReaderLimits of = limits) : reader(of) {
    give(input, reader, bytes);
    progress = reader.read(input);
  }
  int status() const { return progress == Progress::refused ? reader.refusal().status : 0; }

  InputBuffer input;
  RequestReader reader;
  Progress progress;
};

// 0: not refused.
int refusal_of(std::string_view bytes) {
  return Reading(bytes).status();
}

TEST(RequestReader, AWholeRequestIsReadWithoutItsSurroundings) {
  const Reading read(
      "POST /a/b?x=1 HTTP/1.1\r\nHost: h\r\nX-Api-Key:  k y \r\nContent-Length: 4\r\n\r\nbodyGET");
  ASSERT_EQ(read.progress, Progress::complete);
  const auto& request = read.reader.request();
  EXPECT_EQ(request.method(), "POST");
  EXPECT_EQ(request.path(), "/a/b");
  EXPECT_EQ(request.query("x"), "1");
  EXPECT_EQ(request.header("x-api-key"), "k y");
  EXPECT_EQ(request.body(), "body");
  EXPECT_TRUE(read.reader.keeps_alive());
}

TEST(RequestReader, ARequestGivenByteByByteIsTheSameRequest) {
  const std::string bytes =
      "POST /p?q=z HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;ext=1\r\nabc\r\n1\r\nd\r\n0\r\nTrailer: t\r\n\r\n";
  InputBuffer input;
  RequestReader reader(limits);
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    give(input, reader, bytes.substr(i, 1));
    ASSERT_EQ(reader.read(input), Progress::need_more) << i;
  }
  give(input, reader, bytes.substr(bytes.size() - 1));
  ASSERT_EQ(reader.read(input), Progress::complete);
  EXPECT_EQ(reader.request().body(), "abcd");
  EXPECT_EQ(reader.request().path(), "/p");
  EXPECT_EQ(reader.request().query("q"), "z");
  EXPECT_EQ(reader.request().header("Trailer"), std::nullopt);
  EXPECT_EQ(reader.bytes_used(), input.size());
}

TEST(RequestReader, AnEmptyChunkedBodyGivenByteByByteIsEmpty) {
  InputBuffer input;
  RequestReader reader(limits);
  auto progress = Progress::need_more;
  for (const char c :
       std::string("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")) {
    ASSERT_EQ(progress, Progress::need_more);
    give(input, reader, {&c, 1});
    progress = reader.read(input);
  }
  EXPECT_EQ(progress, Progress::complete);
  EXPECT_EQ(reader.request().body(), "");
}

TEST(RequestReader, ViewsFollowTheBytesWhenTheBlockGrows) {
  const ReaderLimits large{.head_bytes_max = 2048, .body_bytes_max = 100000};
  Reading read("POST http://other HTTP/1.1\r\nHost: h\r\nA: value\r\nContent-Length: 50000\r\n\r\n",
               large);
  ASSERT_EQ(read.progress, Progress::need_more);
  give(read.input, read.reader, std::string(50000, 'x'));
  ASSERT_EQ(read.reader.read(read.input), Progress::complete);
  EXPECT_EQ(read.reader.request().method(), "POST");
  EXPECT_EQ(read.reader.request().path(), "/");
  EXPECT_EQ(read.reader.request().header("a"), "value");
  EXPECT_EQ(read.reader.request().body(), std::string(50000, 'x'));
}

TEST(RequestReader, ThePathAndQueryOfAnAbsoluteTargetAreTaken) {
  const Reading read("GET http://a.example:80/x?y=1 HTTP/1.1\r\nHost: a.example\r\n\r\n");
  ASSERT_EQ(read.progress, Progress::complete);
  EXPECT_EQ(read.reader.request().path(), "/x");
  EXPECT_EQ(read.reader.request().query("y"), "1");
  const Reading bare("GET https://a.example?y=2 HTTP/1.1\r\nHost: a.example\r\n\r\n");
  ASSERT_EQ(bare.progress, Progress::complete);
  EXPECT_EQ(bare.reader.request().path(), "/");
  EXPECT_EQ(bare.reader.request().query("y"), "2");
}

TEST(RequestReader, EmptyLinesBeforeARequestAreSkipped) {
  const Reading read("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_EQ(read.progress, Progress::complete);
  EXPECT_EQ(read.reader.bytes_used(),
            std::string_view("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").size());
  EXPECT_EQ(refusal_of("\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
}

// The catalogue of request smuggling: what a proxy before us and we might read as different
// requests.

TEST(Smuggling, ContentLengthBesideTransferEncodingIsRefused) {
  EXPECT_EQ(refusal_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: "
                       "chunked\r\n\r\n0\r\n\r\n"),
            400);
  EXPECT_EQ(refusal_of("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                       "chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
            400);
}

TEST(Smuggling, SeveralContentLengthsAreRefusedEvenWhereTheyAgree) {
  EXPECT_EQ(
      refusal_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
      400);
  EXPECT_EQ(
      refusal_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na"),
      400);
  EXPECT_EQ(refusal_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\na"), 400);
}

TEST(Smuggling, AContentLengthThatIsNotPlainDigitsIsRefused) {
  for (const std::string_view value :
       {"+1", "-1", "0x1", "1 1", "1.0", "1e0", "", "a", "1;", "99999999999999999999999"}) {
    const auto text =
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::string(value) + "\r\n\r\na";
    EXPECT_EQ(refusal_of(text), 400) << value;
  }
}

TEST(Smuggling, ATransferEncodingOtherThanChunkedIsRefused) {
  for (const std::string_view value :
       {"gzip", "identity", "chunked, chunked", "gzip, chunked", "xchunked", "chunked;q=1",
        "\x0b"
        "chunked",
        ""}) {
    const auto text = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: " + std::string(value) +
                      "\r\n\r\n0\r\n\r\n";
    EXPECT_EQ(refusal_of(text), 400) << value;
  }
}

TEST(Smuggling, SeveralTransferEncodingsAreRefused) {
  EXPECT_EQ(refusal_of("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                       "chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            400);
}

TEST(Smuggling, TransferEncodingInHttp10IsRefused) {
  EXPECT_EQ(refusal_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
}

TEST(Smuggling, ABareLineFeedIsRefused) {
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\nHost: h\n\n"), 400);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: h\r\nX: y\n\r\n\r\n"), 400);
}

TEST(Smuggling, ABareCarriageReturnIsRefused) {
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET /\r HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
}

TEST(Smuggling, NulAndControlCharactersInFieldsAreRefused) {
  for (const char c : {'\0', '\x01', '\x0b', '\x1f', '\x7f'}) {
    const auto text = std::string("GET / HTTP/1.1\r\nHost: h\r\nX: a") + c + "b\r\n\r\n";
    EXPECT_EQ(refusal_of(text), 400) << static_cast<int>(c);
    const auto name = std::string("GET / HTTP/1.1\r\nHost: h\r\nX") + c + ": b\r\n\r\n";
    EXPECT_EQ(refusal_of(name), 400) << static_cast<int>(c);
  }
}

TEST(Smuggling, AFoldedFieldIsRefused) {
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n\tb\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n \r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: h\r\nX:\r\n b\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: h\r\nX:\r\n \r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\n Host: h\r\n\r\n"), 400);
}

TEST(Smuggling, ABlankBeforeTheColonIsRefused) {
  EXPECT_EQ(refusal_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 1\r\n\r\na"), 400);
  EXPECT_EQ(
      refusal_of("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n"),
      400);
}

TEST(Smuggling, AFieldWithoutANameOrColonIsRefused) {
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: h\r\n: v\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: h\r\nnonsense\r\n\r\n"), 400);
}

TEST(Smuggling, MissingDoubleAndMalformedHostsAreRefused) {
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET / HTTP/1.0\r\n\r\n"), 0);
}

TEST(Smuggling, OddRequestLinesAreRefused) {
  EXPECT_EQ(refusal_of("GET  / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1 \r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET /\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("G(T / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET a HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("CONNECT a:1 HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of("\x16\x03\x01\x02 hello of TLS"), 400);
}

TEST(Smuggling, MalformedChunksAreRefused) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string_view body :
       {"x\r\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n",
        "-1\r\nabc\r\n0\r\n\r\n", "0x3\r\nabc\r\n0\r\n\r\n", "3 \x01\r\nabc\r\n0\r\n\r\n",
        "11111111111111111\r\na\r\n0\r\n\r\n", "\r\n3\r\nabc\r\n0\r\n\r\n",
        "0\r\nContent-Length: 3\r\n\r\n", "0\r\nbad trailer\r\n\r\n"}) {
    const auto status = refusal_of(head + std::string(body));
    EXPECT_TRUE(status == 400 || status == 413) << body;
  }
}

// Limits.

TEST(RequestLimits, ABodyOverTheLimitIsRefusedBeforeItArrives) {
  EXPECT_EQ(refusal_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n"), 413);
  EXPECT_EQ(refusal_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n"), 0);
}

TEST(RequestLimits, TheSumOfAllChunksIsLimited) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string half = "32\r\n" + std::string(50, 'x') + "\r\n";
  EXPECT_EQ(Reading(head + half + half + "0\r\n\r\n").progress, Progress::complete);
  EXPECT_EQ(refusal_of(head + half + half + "1\r\nx\r\n0\r\n\r\n"), 413);
}

TEST(RequestLimits, AHeadOverTheLimitIsRefusedEvenIfItsEndIsThere) {
  const auto with_field_of = [](std::size_t bytes) {
    return "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(bytes, 'x') + "\r\n\r\n";
  };
  const auto fixed = with_field_of(0).size();
  EXPECT_EQ(refusal_of(with_field_of(limits.head_bytes_max - fixed)), 0);
  EXPECT_EQ(refusal_of(with_field_of(limits.head_bytes_max - fixed + 1)), 431);
}

TEST(RequestLimits, TooManyFieldsAreRefused) {
  std::string head = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (std::size_t i = 0; i < RequestReader::fields_max; ++i) head += "a:b\r\n";
  EXPECT_EQ(refusal_of(head + "\r\n"), 431);
}

TEST(RequestLimits, AnEndlessChunkExtensionIsRefused) {
  const auto text = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;a=" +
                    std::string(100000, 'x');
  EXPECT_EQ(refusal_of(text), 400);
}

}  // namespace
}  // namespace stagedoor::http
