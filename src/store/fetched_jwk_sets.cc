#include "store/fetched_jwk_sets.h"

#include <utility>

#include "base/json.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;

// Beyond what two fetches may take (store/web_fetch.h): a waiter never waits for ever.
constexpr std::chrono::seconds wait_max{15};

std::unexpected<base::Error> no_answer(std::string detail) {
  return base::fail(ErrorCode::unavailable, "issuer: " + std::move(detail),
                    "The issuer of the token does not answer; try again in a while.");
}

}  // namespace

FetchedJwkSet::FetchedJwkSet(Parts parts, rules::IssuerPolicy policy)
    : parts_(parts),
      policy_(std::move(policy)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

FetchedJwkSet::~FetchedJwkSet() {
  thread_.request_stop();
  thread_.join();
}

std::uint64_t FetchedJwkSet::generation(base::Instant now) {
  if (now.time_since_epoch().count() < quiet_until_.load(std::memory_order_acquire))
    return generation_.load(std::memory_order_acquire);
  const Lock lock(mutex_);
  const auto advice = timetable_.for_known_key(now);
  if (advice == Advice::use_and_fetch) begin_fetch(lock, now);
  const bool may_use = advice == Advice::use || advice == Advice::use_and_fetch;
  return may_use ? keys_.generation : 0;
}

FetchedJwkSet::Advice FetchedJwkSet::advice_for(bool is_known, const rules::JwtHeader& header,
                                                base::Instant now) const {
  return is_known ? timetable_.for_known_key(now)
                  : timetable_.for_unknown_key(header.key_id.value_or(""), now);
}

base::Result<rules::BelievedKeys> FetchedJwkSet::keys_for(const rules::JwtHeader& header,
                                                          crypto::SignatureAlgorithm algorithm,
                                                          base::Instant now) {
  const auto holds_key = [&] {
    return keys_.set != nullptr && keys_.set->find(header.key_id, algorithm) != nullptr;
  };
  Lock lock(mutex_);
  bool is_known = holds_key();
  bool is_mine = false;
  switch (advice_for(is_known, header, now)) {
    case Advice::use_and_fetch:
      begin_fetch(lock, now);
      return keys_;
    case Advice::use:
      return keys_;
    case Advice::no_such_key:
      return rules::no_such_key();
    case Advice::unavailable_and_fetch:
      begin_fetch(lock, now);
      return no_answer("its keys can't be had");
    case Advice::unavailable:
      return no_answer("its keys can't be had");
    case Advice::fetch_and_wait:
      begin_fetch(lock, now);
      is_mine = true;
      break;
    case Advice::wait:
      break;
  }
  if (auto waited = wait_for_fetch(lock); !waited) return base::fail(waited.error());
  is_known = holds_key();
  const auto later = parts_.clock.now();
  const bool has_failed = timetable_.has_failed_lately(later);
  if (is_known) {
    // What came is in use, or what was there still is; too old, and there is nothing.
    const auto advice = timetable_.for_known_key(later);
    if (advice == Advice::use || advice == Advice::use_and_fetch) return keys_;
    return no_answer("its keys are too old");
  }
  if (has_failed || keys_.set == nullptr) return no_answer("its keys can't be had");
  // A fetch that began before this token came may have missed its key.
  if (is_mine) timetable_.saw_no(header.key_id.value_or(""), later);
  return rules::no_such_key();
}

void FetchedJwkSet::begin_fetch(const Lock&, base::Instant now) {
  timetable_.began(now);
  is_wanted_ = true;
  changed_.notify_all();
}

base::Result<base::Done> FetchedJwkSet::wait_for_fetch(Lock& lock) {
  auto& of_all = parts_.waiting.count;
  if (waiting_ >= WaitingForIssuers::of_one_max) return no_answer("too many wait for its keys");
  if (of_all.fetch_add(1) >= WaitingForIssuers::max) {
    of_all.fetch_sub(1);
    return no_answer("too many wait for issuers");
  }
  const auto mine = fetches_ended_;
  ++waiting_;
  const bool has_ended = changed_.wait_for(lock, wait_max, [&] { return fetches_ended_ != mine; });
  --waiting_;
  of_all.fetch_sub(1);
  if (!has_ended) return no_answer("no answer in time");
  return base::Done{};
}

void FetchedJwkSet::publish_quiet_time(const Lock&) {
  generation_.store(keys_.generation, std::memory_order_release);
  quiet_until_.store(timetable_.quiet_until().time_since_epoch().count(),
                     std::memory_order_release);
}

void FetchedJwkSet::run(const std::stop_token& stop) {
  while (true) {
    {
      Lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return is_wanted_; })) return;
      is_wanted_ = false;
    }
    const auto document = fetch(stop);
    if (stop.stop_requested()) return;
    take(document);
  }
}

base::Result<FetchedDocument> FetchedJwkSet::fetch(const std::stop_token& stop) const {
  if (!policy_.jwks_url.empty()) return parts_.fetcher.fetch(policy_.jwks_url, stop);
  const auto url = discover(stop);
  if (!url) return base::fail(url.error());
  return parts_.fetcher.fetch(*url, stop);
}

// OpenID Connect Discovery 4: the document under the issuer's own name, which must say the name.
base::Result<std::string> FetchedJwkSet::discover(const std::stop_token& stop) const {
  auto base_url = policy_.issuer;
  if (base_url.ends_with('/')) base_url.pop_back();
  const auto document = parts_.fetcher.fetch(base_url + "/.well-known/openid-configuration", stop);
  if (!document) return base::fail(document.error());
  base::JsonReader reader;
  const auto root = reader.read(document->body);
  if (!root) return no_answer("a discovery document that is not JSON");
  const auto issuer = root->member("issuer");
  if (!issuer || issuer->text() != policy_.issuer)
    return no_answer("a discovery document of another issuer");
  const auto url = root->member("jwks_uri");
  if (!url || !url->text() || url->text()->empty())
    return no_answer("a discovery document without jwks_uri");
  return std::string(*url->text());
}

void FetchedJwkSet::take(const base::Result<FetchedDocument>& document) {
  auto set = document ? rules::JwkSet::parse(document->body)
                      : base::Result<rules::JwkSet>(base::fail(document.error()));
  const auto now = parts_.clock.now();
  std::string trouble;
  std::size_t new_keys = 0;
  {
    const Lock lock(mutex_);
    if (set) {
      timetable_.succeeded(rules::jwks_freshness(document->cache_control, document->age), now);
      // The same keys stay the same set, so that what was verified with them stays verified.
      if (keys_.set == nullptr || keys_.set->fingerprint() != set->fingerprint()) {
        new_keys = set->size();
        keys_ = {.set = std::make_shared<const rules::JwkSet>(*std::move(set)),
                 .generation = keys_.generation + 1};
      }
    } else {
      timetable_.failed(now);
      trouble = set.error().detail;
    }
    publish_quiet_time(lock);
    ++fetches_ended_;
    changed_.notify_all();
  }
  const std::string_view issuer = policy_.issuer;
  if (!trouble.empty())
    parts_.log.write(base::LogLevel::warning, "issuer.keys_unavailable",
                     {{"issuer", issuer}, {"detail", std::string_view(trouble)}});
  if (new_keys > 0)
    parts_.log.write(base::LogLevel::info, "issuer.keys_changed",
                     {{"issuer", issuer}, {"keys", new_keys}});
}

}  // namespace stagedoor::store
