-- Requests for wrk that each verify the next of the keys in the file that KEYS names; written out
-- once before the load begins, so that the load costs no more to make than a fixed request.
--
-- SPDX-License-Identifier: Apache-2.0

local requests = {}
local at = 0

function init(arguments)
  for key in io.lines(os.getenv("KEYS")) do
    requests[#requests + 1] = wrk.format("POST", "/v1/keys/verify",
      { ["Authorization"] = "Bearer " .. key, ["Content-Type"] = "application/json" },
      string.format('{"key":"%s"}', key))
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"requests":%d,"seconds":%.6f,"p50_us":%d,"p99_us":%d,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
