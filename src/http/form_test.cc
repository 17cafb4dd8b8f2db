#include "http/form.h"

#include <gtest/gtest.h>

namespace stagedoor::http {
namespace {

constexpr std::string_view type = "multipart/form-data; boundary=xyz";

std::string form(std::initializer_list<std::string_view> parts) {
  std::string body;
  for (const auto part : parts) body.append("--xyz\r\n").append(part).append("\r\n");
  return body + "--xyz--\r\n";
}

std::string hint_of(std::string_view content_type, const std::string& body) {
  const auto parts = read_form(content_type, body);
  return parts ? "" : parts.error().hint;
}

TEST(Form, GivesEachPartWithItsNameFileAndContent) {
  const auto body =
      form({"Content-Disposition: form-data; name=\"chunkSize\"\r\n\r\n500",
            "content-disposition: form-data; filename=\"a \\\"b\\\"; c.txt\"; name=\"file\"\r\n"
            "Content-Type: text/plain\r\n\r\nOne\r\n\r\n--xy\r\nTwo",
            "Content-Disposition: form-data; name=empty\r\n\r\n"});
  const auto parts = read_form(type, body);
  ASSERT_TRUE(parts) << parts.error().hint;
  ASSERT_EQ(parts->size(), 3u);
  EXPECT_EQ(part_named(*parts, "chunkSize")->content, "500");
  const auto* file = part_named(*parts, "file");
  EXPECT_EQ(file->filename, "a \"b\"; c.txt");
  EXPECT_EQ(file->content_type, "text/plain");
  EXPECT_EQ(file->content, "One\r\n\r\n--xy\r\nTwo");
  EXPECT_EQ(part_named(*parts, "empty")->content, "");
  EXPECT_EQ(part_named(*parts, "none"), nullptr);
}

TEST(Form, TakesAQuotedBoundaryAndAnEmptyForm) {
  EXPECT_TRUE(read_form("multipart/form-data; boundary=\"a b\"", "--a b--")->empty());
}

TEST(Form, RefusesWhatIsNone) {
  const auto good = form({"Content-Disposition: form-data; name=\"a\"\r\n\r\nb"});
  EXPECT_EQ(hint_of(type, good), "");
  EXPECT_NE(hint_of("application/json", good), "");
  EXPECT_NE(hint_of("multipart/form-data", good), "");
  EXPECT_NE(hint_of("multipart/form-data; boundary=" + std::string(71, 'x'), good), "");
  EXPECT_NE(hint_of(type, ""), "");
  EXPECT_NE(hint_of(type, good.substr(1)), "");
  for (std::size_t length = 0; length + 4 < good.size(); ++length)
    EXPECT_NE(hint_of(type, good.substr(0, length)), "") << length;
  EXPECT_NE(hint_of(type, form({"Content-Disposition: form-data\r\n\r\nb"})), "");
  EXPECT_NE(hint_of(type, form({"no head"})), "");
  std::string many;
  for (int i = 0; i < 33; ++i)
    many += "--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n";
  EXPECT_NE(hint_of(type, many + "--xyz--"), "");
}

}  // namespace
}  // namespace stagedoor::http
