#include "rules/audit.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "base/text.h"
#include "rules/audit_notes.h"

namespace stagedoor::rules {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;

const base::Instant now = base::from_unix_seconds(1'795'000'000);

AuditEntry entry() {
  AuditEntry entry;
  entry.at = now;
  entry.workspace_id = "ws_1";
  entry.actor = "acc_1";
  entry.action = "api_key.revoke";
  entry.subject = "key_0000000000000001";
  entry.peer = "192.0.2.1";
  entry.request_id = "req_1";
  entry.detail = "leaked";
  return entry;
}

AuditSealer sealer(char fill = 'k') {
  return AuditSealer(base::Secret(std::string(32, fill)));
}

struct Kept {
  std::int64_t number;
  AuditEntry entry;
  AuditSeal seal;
};

struct Log {
  std::vector<Kept> entries;
  AuditCheckpoint head;
};

Log log_of(int count, const AuditSealer& by) {
  Log log;
  for (int number = 1; number <= count; ++number) {
    auto one = entry();
    one.detail = std::to_string(number);
    log.head = {.number = number, .seal = by.seal(log.head.seal, number, one)};
    log.entries.push_back({number, one, log.head.seal});
  }
  return log;
}

// What a walk along the log says; empty: all is well.
std::string walked(const Log& log, std::optional<AuditCheckpoint> expected = {}) {
  const auto by = sealer();
  AuditWalk walk(by, {}, expected);
  for (const auto& kept : log.entries)
    if (auto step = walk.step(kept.number, kept.entry, base::as_text(kept.seal)); !step)
      return step.error().hint;
  const auto end = walk.end(log.head, base::as_text(by.head_proof(log.head)));
  return end ? "" : end.error().hint;
}

// Rule audit-chained.
TEST(Audit, EveryFieldOfAnEntryIsUnderItsSeal) {
  const auto by = sealer();
  const auto whole = by.seal({}, 1, entry());
  std::vector<AuditEntry> changed(9, entry());
  changed[0].at += 1ms;
  changed[1].workspace_id = "ws_2";
  changed[2].actor = "acc_2";
  changed[3].action = "api_key.create";
  changed[4].subject = "key_0000000000000002";
  changed[5].outcome = AuditOutcome::refused;
  changed[6].peer = "192.0.2.2";
  changed[7].request_id = "req_2";
  changed[8].detail = "";
  for (const auto& one : changed) EXPECT_NE(by.seal({}, 1, one), whole);
  EXPECT_NE(by.seal({}, 2, entry()), whole) << "the place counts";
  EXPECT_NE(by.seal(whole, 1, entry()), whole) << "the entry before counts";
  EXPECT_NE(sealer('x').seal({}, 1, entry()), whole) << "the key counts";
}

// Rule audit-chained.
TEST(Audit, NoTwoEntriesShareBytesHoweverTheirFieldsAreCut) {
  auto one = entry();
  auto other = entry();
  one.actor = "ab";
  one.action = "c";
  other.actor = "a";
  other.action = "bc";
  EXPECT_NE(canonical_bytes(1, one), canonical_bytes(1, other));
}

TEST(Audit, AnUntouchedLogIsFineAndSoIsAnEmptyOne) {
  EXPECT_EQ(walked(log_of(20, sealer())), "");
  EXPECT_EQ(walked(Log{}), "");
}

// Rule audit-chained.
TEST(Audit, AChangedEntryIsNamed) {
  auto log = log_of(9, sealer());
  log.entries[4].entry.actor = "acc_innocent";
  EXPECT_TRUE(walked(log).starts_with("Entry 5 does not bear the seal"));
}

// Rule audit-chained.
TEST(Audit, EntriesThatWereCutOutAreNamed) {
  auto head = log_of(9, sealer());
  head.entries.erase(head.entries.begin());
  EXPECT_EQ(walked(head), "Entry 1 is missing.");
  auto middle = log_of(9, sealer());
  middle.entries.erase(middle.entries.begin() + 3, middle.entries.begin() + 6);
  EXPECT_EQ(walked(middle), "Entries 4 to 6 are missing.");
  auto tail = log_of(9, sealer());
  tail.entries.resize(7);
  EXPECT_EQ(walked(tail), "Entries 8 to 9 are missing.");
}

// Rule audit-chained.
TEST(Audit, WhatWasCutOutIsSeenAlsoWhenTheRestIsNumberedAnew) {
  auto log = log_of(9, sealer());
  log.entries.erase(log.entries.begin() + 3);
  for (std::size_t at = 3; at < log.entries.size(); ++at) --log.entries[at].number;
  EXPECT_TRUE(walked(log).starts_with("Entry 4 does not bear the seal"));
}

// Rule audit-chained.
TEST(Audit, EntriesThatChangedPlacesAreNamed) {
  auto log = log_of(9, sealer());
  std::swap(log.entries[2].entry, log.entries[5].entry);
  std::swap(log.entries[2].seal, log.entries[5].seal);
  EXPECT_TRUE(walked(log).starts_with("Entry 3 does not bear the seal"));
}

// Rule audit-chained.
TEST(Audit, AnEntryThatWasPutInIsNamed) {
  auto log = log_of(9, sealer());
  const auto forged = entry();
  log.entries.push_back({10, forged, sealer('x').seal(log.head.seal, 10, forged)});
  EXPECT_TRUE(walked(log).starts_with("Entry 10 does not bear the seal"));
  auto known_seal = log_of(9, sealer());
  known_seal.entries.push_back(known_seal.entries[3]);
  known_seal.entries.back().number = 10;
  EXPECT_TRUE(walked(known_seal).starts_with("Entry 10 does not bear the seal"));
  auto before = log_of(9, sealer());
  before.entries.insert(before.entries.begin(), {0, forged, {}});
  EXPECT_TRUE(walked(before).starts_with("Entry 0 was put in"));
}

// Rule audit-chained.
TEST(Audit, AnEarlierEndCannotBeMadeToLookLikeTheNewest) {
  const auto by = sealer();
  const auto log = log_of(9, by);
  AuditWalk walk(by, {}, {});
  for (int at = 0; at < 7; ++at)
    ASSERT_TRUE(walk.step(log.entries[at].number, log.entries[at].entry,
                          base::as_text(log.entries[at].seal)));
  const AuditCheckpoint earlier{.number = 7, .seal = log.entries[6].seal};
  const auto end = walk.end(earlier, base::as_text(by.head_proof(log.head)));
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().hint,
            "The note of where the log ends was changed, or made with another key.");
}

// Rule audit-checkpoint.
TEST(Audit, ACheckpointFindsALogThatWasPutBackAsAWhole) {
  const auto by = sealer();
  const auto checkpoint = log_of(9, by).head;
  const auto put_back = log_of(6, by);
  EXPECT_EQ(walked(put_back), "") << "inside nothing tells";
  EXPECT_TRUE(walked(put_back, checkpoint).starts_with("The log ends with entry 6, before"));
  auto went_on = log_of(6, by);
  for (int number = 7; number <= 12; ++number) {
    auto other = entry();
    other.detail = "another history";
    went_on.head = {.number = number, .seal = by.seal(went_on.head.seal, number, other)};
    went_on.entries.push_back({number, other, went_on.head.seal});
  }
  EXPECT_EQ(walked(went_on), "");
  EXPECT_TRUE(walked(went_on, checkpoint).starts_with("Entry 9 is not the one of the checkpoint"));
  EXPECT_EQ(walked(log_of(12, by), checkpoint), "");
}

// Rule audit-checkpoint.
TEST(Audit, ACheckpointIsReadBackAsItWasWritten) {
  const auto checkpoint = log_of(3, sealer()).head;
  EXPECT_EQ(*parse_audit_checkpoint(text_of(checkpoint)), checkpoint);
  for (const auto* text : {"", "3", "3:", ":00", "x:00", "-1:00", "3:zz"})
    EXPECT_EQ(parse_audit_checkpoint(text).error().code, ErrorCode::malformed) << text;
  EXPECT_FALSE(parse_audit_checkpoint(text_of(checkpoint) + "00"));
  EXPECT_FALSE(parse_audit_checkpoint(" " + text_of(checkpoint)));
}

TEST(Audit, LongTextsAreCutAndNeverInsideACharacter) {
  auto one = entry();
  one.detail = std::string(511, 'a') + "\xC3\xA9" + "b";
  one.action = std::string(5000, 'x');
  one.peer = std::string(600, '\x80');
  make_fit(one);
  EXPECT_EQ(one.detail, std::string(511, 'a'));
  EXPECT_EQ(one.action.size(), audit_text_bytes_max);
  EXPECT_LE(one.peer.size(), audit_text_bytes_max);
  EXPECT_EQ(one.subject, entry().subject);
}

TEST(Audit, ACredentialThatAStrangerPutIntoATextIsReplaced) {
  auto one = entry();
  one.action = "GET /v1/av_test_E8py5PzpJr38yDq7xwFyHH6ZgcCXMg41a1ZBB";
  one.detail = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.sig";
  make_fit(one);
  EXPECT_EQ(one.action, "GET /v1/av_test_***");
  EXPECT_EQ(one.detail, "eyJ***");
  one.action = "DELETE /v1/invitations/inv_" + std::string(43, 'r');
  one.detail = "sdr_" + std::string(43, 'r');
  make_fit(one);
  EXPECT_EQ(one.action, "DELETE /v1/invitations/inv_***");
  EXPECT_EQ(one.detail, "sdr_***");
}

AuditEntry refusal(base::Instant at, const std::string& actor = "") {
  auto one = entry();
  one.at = at;
  one.actor = actor;
  one.outcome = AuditOutcome::refused;
  return one;
}

// Rule audit-of-refusals.
TEST(AuditNotes, WhatComesSlowlyIsAllKept) {
  AuditNotes notes({});
  std::size_t kept = 0;
  for (int at = 0; at < 1000; ++at) {
    notes.add(refusal(now + at * 1s));
    kept += notes.take(now + at * 1s, AuditNotes::Until::window_is_over).size();
  }
  EXPECT_EQ(kept, 1000u);
}

// Rule audit-of-refusals.
TEST(AuditNotes, OfAFloodOneEntryTellsHowManyWereFoldedIntoIt) {
  AuditNotes notes({.strangers_max = 5});
  for (int at = 0; at < 100; ++at) notes.add(refusal(now + at * 1ms));
  EXPECT_EQ(notes.take(now + 100ms, AuditNotes::Until::window_is_over).size(), 5u);
  const auto told = notes.take(now + 10s, AuditNotes::Until::window_is_over);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].action, "audit.fold");
  EXPECT_EQ(told[0].subject, "strangers");
  EXPECT_EQ(told[0].detail, R"({"count":95,"first_at":1795000000,"last_at":1795000000})");
  EXPECT_TRUE(notes.take(now + 20s, AuditNotes::Until::everything).empty());
}

// Rule audit-of-refusals.
TEST(AuditNotes, TheNextWindowTellsWhatTheOneBeforeFolded) {
  AuditNotes notes({.strangers_max = 1});
  notes.add(refusal(now));
  notes.add(refusal(now));
  notes.add(refusal(now + 10s));
  const auto entries = notes.take(now + 10s, AuditNotes::Until::window_is_over);
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[1].action, "audit.fold");
}

// Rule audit-of-refusals.
TEST(AuditNotes, AFloodOfStrangersHidesNoKnownCaller) {
  AuditNotes notes({});
  for (int at = 0; at < 100'000; ++at) notes.add(refusal(now));
  notes.add(refusal(now, "acc_1"));
  const auto entries = notes.take(now, AuditNotes::Until::window_is_over);
  ASSERT_FALSE(entries.empty());
  EXPECT_EQ(entries.back().actor, "acc_1");
}

// Rule audit-of-refusals.
TEST(AuditNotes, NoCallersFloodHidesAnotherOnesRefusalNorOneOfAnotherWorkspace) {
  AuditNotes notes({});
  for (int at = 0; at < 100'000; ++at) notes.add(refusal(now, "key_loud"));
  notes.add(refusal(now, "key_quiet"));
  auto elsewhere = refusal(now, "key_loud");
  elsewhere.workspace_id = "ws_other";
  notes.add(elsewhere);
  const auto entries = notes.take(now, AuditNotes::Until::everything);
  const auto of = [&](std::string_view actor, std::string_view workspace) {
    return std::ranges::count_if(entries, [&](const AuditEntry& one) {
      return one.actor == actor && one.workspace_id == workspace;
    });
  };
  EXPECT_EQ(of("key_quiet", entry().workspace_id), 1);
  EXPECT_EQ(of("key_loud", "ws_other"), 1);
  // Where it was folded, the workspace itself is told, and by whose name.
  EXPECT_EQ(of("system", entry().workspace_id), 1);
  EXPECT_EQ(entries.back().subject, "key_loud");
}

// Rule audit-of-refusals.
TEST(AuditNotes, NoFloodHidesAnAlarmAndNoAlarmOneAboutAnotherToken) {
  AuditNotes notes({});
  const auto alarm = [](const std::string& token) {
    auto one = refusal(now, "system");
    one.action = name_of(AuditAction::session_token_suspect_theft);
    one.subject = token;
    return one;
  };
  for (int at = 0; at < 100'000; ++at) notes.add(refusal(now));
  for (int at = 0; at < 100'000; ++at) notes.add(alarm("tok_loud"));
  notes.add(alarm("tok_quiet"));
  const auto entries = notes.take(now, AuditNotes::Until::window_is_over);
  EXPECT_EQ(std::ranges::count(entries, "tok_loud", &AuditEntry::subject), 5);
  EXPECT_EQ(std::ranges::count(entries, "tok_quiet", &AuditEntry::subject), 1);
}

// Rule audit-of-refusals.
TEST(AuditNotes, NoWorkspaceHidesARefusalOrAnAlarmOfAnotherHoweverManyKeysItHas) {
  AuditNotes notes({});
  const auto of = [](const std::string& workspace, const std::string& actor) {
    auto one = refusal(now, actor);
    one.workspace_id = workspace;
    return one;
  };
  const auto alarm = [&](const std::string& workspace, const std::string& token) {
    auto one = of(workspace, "system");
    one.action = name_of(AuditAction::session_token_suspect_theft);
    one.subject = token;
    return one;
  };
  for (int at = 0; at < 100'000; ++at) {
    notes.add(of("ws_loud", "key_" + std::to_string(at)));
    notes.add(alarm("ws_loud", "tok_" + std::to_string(at)));
  }
  notes.add(of("ws_quiet", "key_quiet"));
  notes.add(alarm("ws_quiet", "tok_quiet"));
  const auto entries = notes.take(now, AuditNotes::Until::everything);
  EXPECT_EQ(std::ranges::count(entries, "key_quiet", &AuditEntry::actor), 1);
  EXPECT_EQ(std::ranges::count(entries, "tok_quiet", &AuditEntry::subject), 1);
  const auto told = std::ranges::count_if(entries, [](const AuditEntry& one) {
    return one.action == "audit.fold" && one.subject == "callers" && one.workspace_id == "ws_loud";
  });
  EXPECT_EQ(told, 1) << "the loud one itself is told what was folded";
}

// Rule audit-of-refusals.
TEST(AuditNotes, MoreWorkspacesThanAreToldApartAreCountedTogether) {
  AuditNotes notes({.caller_max = 1, .parties_max = 10});
  for (int at = 0; at < 2000; ++at) {
    auto one = refusal(now, "key_1");
    one.workspace_id = "ws_" + std::to_string(at % 1000);
    notes.add(std::move(one));
  }
  std::int64_t told = 0;
  for (const auto& one : notes.take(now, AuditNotes::Until::everything))
    told += one.action == "audit.fold" ? std::stoll(one.detail.substr(9)) : 1;
  EXPECT_EQ(told, 2000);
}

// Rule audit-of-refusals.
TEST(AuditNotes, SoManyPartiesAreToldApartAndTheRestAreCountedTogether) {
  AuditNotes notes({.caller_max = 1, .parties_of_workspace_max = 10});
  for (int round = 0; round < 2; ++round)
    for (int at = 0; at < 1000; ++at) notes.add(refusal(now, "key_" + std::to_string(at)));
  const auto entries = notes.take(now, AuditNotes::Until::everything);
  std::int64_t told = 0;
  for (const auto& one : entries)
    told += one.action == "audit.fold" ? std::stoll(one.detail.substr(9)) : 1;
  EXPECT_EQ(told, 2000);
  // Ten on their own and one for all others: an entry each, and one that tells the rest.
  EXPECT_EQ(entries.size(), 22u);
}

// Rule audit-of-refusals.
TEST(AuditNotes, TheEndTellsWhatIsStillFolded) {
  AuditNotes notes({.strangers_max = 0});
  notes.add(refusal(now));
  EXPECT_TRUE(notes.take(now, AuditNotes::Until::window_is_over).empty());
  EXPECT_EQ(notes.take(now, AuditNotes::Until::everything).size(), 1u);
}

// Rule audit-of-refusals.
TEST(AuditNotes, WhatWaitsIsBoundedAndNothingIsLostWithoutATrace) {
  AuditNotes notes({.caller_max = 1'000'000, .waiting_max = 10});
  for (int at = 0; at < 100; ++at) notes.add(refusal(now, "acc_1"));
  const auto entries = notes.take(now, AuditNotes::Until::everything);
  ASSERT_EQ(entries.size(), 11u);
  EXPECT_TRUE(entries.back().detail.starts_with("{\"count\":90,"));
}

// Rule audit-of-refusals.
TEST(AuditNotes, WhatCannotBeKeptForLongStaysBoundedAndIsTold) {
  AuditNotes notes({.waiting_max = 10});
  for (int at = 0; at < 100'000; ++at) {
    notes.add(refusal(now + at * 1s, "acc_1"));
    auto taken = notes.take(now + at * 1s, AuditNotes::Until::window_is_over);
    ASSERT_LE(taken.size(), 100u);
    notes.give_back(std::move(taken));
  }
  // Once they can be kept again, nothing is missing.
  std::int64_t told = 0;
  for (int round = 0; round < 2; ++round) {
    const auto taken = notes.take(now + 100'000s, AuditNotes::Until::everything);
    for (const auto& one : taken)
      told += one.action == "audit.fold" ? std::stoll(one.detail.substr(9)) : 1;
    notes.were_kept(taken.size());
  }
  EXPECT_EQ(told, 100'000);
}

TEST(AuditNotes, WhatCouldNotBeKeptIsTakenAgainFirst) {
  AuditNotes notes({});
  notes.add(refusal(now, "acc_1"));
  auto taken = notes.take(now, AuditNotes::Until::window_is_over);
  notes.add(refusal(now, "acc_2"));
  notes.give_back(std::move(taken));
  const auto again = notes.take(now, AuditNotes::Until::window_is_over);
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(again[0].actor, "acc_1");
}

}  // namespace
}  // namespace stagedoor::rules
