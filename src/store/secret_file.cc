#include "store/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/text.h"
#include "rules/server_secret.h"

namespace stagedoor::store {
namespace {

constexpr std::size_t file_bytes_max = 4096;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

std::unexpected<base::Error> trouble(const std::string& path) {
  return base::fail(base::ErrorCode::unavailable, "file " + path + ": " + std::strerror(errno));
}

base::Result<base::Secret> read_private(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts{};
  if (file.number() < 0 || ::fstat(file.number(), &facts) != 0) return trouble(path);
  if (!S_ISREG(facts.st_mode) || (facts.st_mode & 077) != 0) {
    return base::fail(
        base::ErrorCode::forbidden, "secret file " + path + " can be read by others",
        "Others can read " + path + ", so its secret may be known; run: chmod 600 " + path);
  }
  std::array<char, file_bytes_max> bytes;
  const auto count = ::read(file.number(), bytes.data(), bytes.size());
  if (count < 0) return trouble(path);
  base::Secret content(std::string_view(bytes.data(), static_cast<std::size_t>(count)));
  explicit_bzero(bytes.data(), bytes.size());
  return content;
}

// The lines that count.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    if (!line.empty() && line.front() != '#') lines.push_back(line);
  }
  return lines;
}

}  // namespace

base::Result<std::vector<base::Secret>> read_secret_file(const std::string& path,
                                                         std::size_t lines_max) {
  const auto content = read_private(path);
  if (!content) return base::fail(content.error());
  std::vector<base::Secret> secrets;
  for (const auto line : lines_of(content->expose())) {
    auto bytes = base::from_hex(line);
    if (!bytes || bytes->size() != rules::server_secret_bytes) {
      return base::fail(base::ErrorCode::malformed, "secret file " + path + ": bad line",
                        path + " must hold 64 lower-case hex digits on each line.");
    }
    secrets.emplace_back(base::as_text(*bytes));
    explicit_bzero(bytes->data(), bytes->size());
  }
  if (secrets.empty() || secrets.size() > lines_max) {
    return base::fail(base::ErrorCode::malformed, "secret file " + path + ": number of lines",
                      path + " must hold 1 to " + std::to_string(lines_max) + " secrets.");
  }
  return secrets;
}

base::Result<base::Secret> read_private_line(const std::string& path) {
  const auto content = read_private(path);
  if (!content) return base::fail(content.error());
  const auto lines = lines_of(content->expose());
  if (lines.empty()) {
    return base::fail(base::ErrorCode::malformed, "secret file " + path + " is empty",
                      path + " is empty.");
  }
  return base::Secret(lines.front());
}

base::Result<base::Done> write_secret_file(const std::string& path,
                                           const std::vector<base::Secret>& secrets) {
  std::string text;
  for (const auto& secret : secrets) {
    const auto bytes = secret.expose();
    text += base::hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}) + "\n";
  }
  text.pop_back();
  const base::Secret lines(text);
  explicit_bzero(text.data(), text.size());
  return write_private_line(path, lines);
}

base::Result<base::Done> write_private_line(const std::string& path, const base::Secret& text) {
  const auto temporary = path + ".new";
  {
    const Descriptor file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR));
    const auto bytes = text.expose();
    if (file.number() < 0 || ::fchmod(file.number(), S_IRUSR | S_IWUSR) != 0 ||
        ::write(file.number(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
        ::write(file.number(), "\n", 1) != 1 || ::fsync(file.number()) != 0)
      return trouble(temporary);
  }
  return rename_durably(temporary, path);
}

base::Result<base::Done> rename_durably(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return trouble(to);
  const auto folder = std::filesystem::path(to).parent_path();
  const Descriptor holder(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC));
  if (holder.number() < 0 || ::fsync(holder.number()) != 0) return trouble(to);
  return base::Done{};
}

base::Secret new_server_secret(base::Random& random) {
  std::array<std::uint8_t, rules::server_secret_bytes> bytes;
  random.fill(bytes);
  base::Secret secret(base::as_text(bytes));
  explicit_bzero(bytes.data(), bytes.size());
  return secret;
}

}  // namespace stagedoor::store
