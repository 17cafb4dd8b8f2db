// Any bytes as a report of leaks, and as the keys of whoever reports: no crash, and nothing that
// was not signed passes.
#include <cstdlib>

#include "base/text.h"
#include "rules/leak_report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stagedoor;
  const auto text = base::as_text({data, size});
  const auto reports = rules::read_leak_reports(text);
  if (reports && reports->size() > rules::leak_reports_max) std::abort();
  const auto keys = rules::LeakReporterKeys::read(text);
  if (keys && keys->check("a", text, text)) std::abort();
  return 0;
}
