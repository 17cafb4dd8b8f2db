#include "rules/persona.h"

#include <gtest/gtest.h>

#include "rules/built_in.h"
#include "rules/test_mode.h"

namespace stagedoor::rules {
namespace {

class OneAvatar : public Catalog {
 public:
  const App* app(std::string_view) const override { return nullptr; }
  std::optional<Avatar> avatar(std::string_view id) const override {
    if (id != "ours") return std::nullopt;
    return Avatar{.id = "ours", .workspace_id = "ws_1", .name = "A", .version = "1"};
  }
};

// Keeps one tool and one language model, of ws_1 and its live environment.
class OneOfEach : public CatalogItems {
 public:
  base::Result<CatalogItem> find(const ItemScope& scope, ItemKind kind,
                                 std::string_view id) override {
    if (is_down) return base::fail(base::ErrorCode::unavailable, "down");
    if (id != "ours" || scope.workspace_id != "ws_1" || scope.environment != Environment::live)
      return base::fail(base::ErrorCode::not_found, "none");
    CatalogItem item;
    item.kind = kind;
    item.name = "show";
    item.content = R"({"config":{},"description":"d","name":"show","type":"CLIENT"})";
    return item;
  }
  base::Result<Found> list(const ItemScope&, ItemKind, const Query&) override { return Found(); }
  base::Result<base::Done> create(const CatalogItem&, const AuditEntry&) override {
    return base::Done{};
  }
  base::Result<CatalogItem> change(const ItemScope&, ItemKind, std::string_view, const Change&,
                                   const AuditEntry&) override {
    return CatalogItem();
  }
  base::Result<base::Done> remove(const ItemScope&, ItemKind, std::string_view,
                                  const AuditEntry&) override {
    return base::Done{};
  }
  bool is_down = false;
};

std::expected<PersonaContent, Faults> read(std::string_view text,
                                           PersonaForm form = PersonaForm::inline_content) {
  base::JsonReader reader;
  const auto json = reader.read(text);
  EXPECT_TRUE(json) << text;
  return PersonaContent::read(*json, form, "p");
}

PersonaContent good(std::string_view text, PersonaForm form = PersonaForm::inline_content) {
  auto content = read(text, form);
  EXPECT_TRUE(content) << text << ": " << content.error().front().path;
  return *std::move(content);
}

std::string first_fault(std::string_view text, PersonaForm form = PersonaForm::inline_content) {
  const auto content = read(text, form);
  return content ? "" : content.error().front().path + " " + content.error().front().code;
}

std::expected<PersonaContent, Faults> changed(const PersonaContent& before, std::string_view text) {
  base::JsonReader reader;
  return before.changed(*reader.read(text));
}

TEST(Persona, TellsWhatItsContentNames) {
  const auto content =
      good(R"({"name":"Cara","avatarId":"a","voiceId":"v","llmId":"l","systemPrompt":"s",)"
           R"("toolIds":["t","u"],"maxSessionLengthSeconds":90})");
  EXPECT_EQ(content.name(), "Cara");
  EXPECT_EQ(content.avatar_id(), "a");
  EXPECT_EQ(content.voice_id(), "v");
  EXPECT_EQ(content.language_model_id(), "l");
  EXPECT_EQ(content.tool_ids(), (std::vector<std::string>{"t", "u"}));
  EXPECT_EQ(content.length_max(), std::chrono::seconds(90));
}

TEST(Persona, ComesBackFromItsCanonicalForm) {
  const auto content = good(R"({"voiceId":"v","avatarId":"a","unknown":[1]})");
  EXPECT_EQ(content.json(), R"({"avatarId":"a","voiceId":"v"})");
  const auto again = PersonaContent::of_canonical(content.json());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->json(), content.json());
  EXPECT_EQ(again->voice_id(), "v");
  EXPECT_FALSE(PersonaContent::of_canonical("[]"));
  EXPECT_FALSE(PersonaContent::of_canonical("{"));
}

// Rule persona-checked-at-minting.
TEST(Persona, IsRefusedWithTheMemberNamed) {
  EXPECT_EQ(first_fault(R"({"avatarId":"a","avatarModel":"x"})"), "p.avatarModel invalid_choice");
  EXPECT_EQ(first_fault(R"({"avatarId":"a","languageCode":"xx"})"), "p.languageCode invalid_form");
  EXPECT_EQ(first_fault(R"({"avatarId":"a","languageCode":"d "})"), "p.languageCode invalid_form");
  EXPECT_EQ(first_fault(R"({"avatarId":"a","maxSessionLengthSeconds":0})"),
            "p.maxSessionLengthSeconds out_of_range");
  EXPECT_EQ(first_fault(R"({"avatarId":""})"), "p.avatarId missing");
  EXPECT_EQ(first_fault(R"({"name":"only"})"), "p missing");
  EXPECT_EQ(first_fault(R"({"avatarId":"a"})", PersonaForm::kept), "p.name missing");
}

// Rule persona-checked-at-minting.
TEST(Persona, TakesOneStyleOrTheOther) {
  EXPECT_EQ(first_fault(R"({"avatarId":"a","directorNotes":{"presetStyle":"sad"}})"), "");
  EXPECT_EQ(first_fault(R"({"avatarId":"a","directorNotes":{"customStylePrompt":"x"}})"), "");
  EXPECT_EQ(
      first_fault(
          R"({"avatarId":"a","directorNotes":{"presetStyle":"sad","customStylePrompt":"x"}})"),
      "p.directorNotes.customStylePrompt conflict");
}

// Rule persona-checked-at-minting.
TEST(Persona, NamesWhatDoesNotExistForTheWorkspace) {
  const OneAvatar catalog;
  const Voices voices;
  OneOfEach items;
  const auto faults_of = [&](std::string_view text, std::string_view workspace,
                             Environment environment = Environment::live) {
    Faults faults;
    const PersonaScope scope{.workspace_id = std::string(workspace), .environment = environment};
    EXPECT_TRUE(check_references(good(text), scope, {catalog, voices, items}, "p", faults));
    std::string paths;
    for (const auto& fault : faults) paths += fault.path + " ";
    return paths;
  };
  EXPECT_EQ(faults_of(R"({"avatarId":"ours"})", "ws_1"), "");
  EXPECT_EQ(faults_of(R"({"avatarId":"ours"})", "ws_2"), "p.avatarId ");
  EXPECT_EQ(faults_of(R"({"avatarId":"x","voiceId":"x","llmId":"x","toolIds":["x"]})", "ws_1"),
            "p.avatarId p.voiceId p.llmId p.toolIds[0] ");
  const auto kept = R"({"llmId":"ours","toolIds":["ours"]})";
  EXPECT_EQ(faults_of(kept, "ws_1"), "");
  EXPECT_EQ(faults_of(kept, "ws_1", Environment::test), "p.llmId p.toolIds[0] ");
  EXPECT_EQ(faults_of(kept, "ws_2"), "p.llmId p.toolIds[0] ");
  // The built-in ones are there for everybody.
  const auto built_in = R"({"avatarId":")" + std::string(built_in_avatars().front().id) +
                        R"(","voiceId":")" + std::string(built_in_voices().front().id) +
                        R"(","llmId":")" + std::string(no_language_model_id) + R"("})";
  EXPECT_EQ(faults_of(built_in, "ws_2"), "");
  // Those of test mode are there for test keys.
  const auto forcing = R"({"avatarId":")" + std::string(test_forces().front().avatar_id) + "\"}";
  EXPECT_EQ(faults_of(forcing, "ws_2", Environment::test), "");
  EXPECT_EQ(faults_of(forcing, "ws_2"), "p.avatarId ");
}

TEST(Persona, IsRefusedWhereItCannotBeToldWhatExists) {
  const OneAvatar catalog;
  const Voices voices;
  OneOfEach items;
  items.is_down = true;
  Faults faults;
  const PersonaScope scope{"ws_1", Environment::live};
  const auto content = good(R"({"avatarId":"ours","toolIds":["ours"]})");
  EXPECT_EQ(check_references(content, scope, {catalog, voices, items}, "p", faults).error().code,
            base::ErrorCode::unavailable);
  EXPECT_EQ(with_kept_tools(content, scope, items, "p", faults).error().code,
            base::ErrorCode::unavailable);
}

// Rule kept-tool-in-snapshot.
TEST(Persona, IsPlayedWithTheToolsThatItNamesBehindItsOwn) {
  OneOfEach items;
  Faults faults;
  const PersonaScope scope{"ws_1", Environment::live};
  const auto content =
      good(R"({"avatarId":"a","toolIds":["ours"],"tools":[{"name":"own","type":"client"}]})");
  EXPECT_EQ(content.tool_count(), 1u);
  const auto played = with_kept_tools(content, scope, items, "p", faults);
  ASSERT_TRUE(played);
  EXPECT_TRUE(faults.empty());
  EXPECT_EQ(played->tool_count(), 2u);
  EXPECT_TRUE(played->json().contains(
      R"("tools":[{"name":"own","type":"client"},{"description":"d","name":"show","type":"client"}])"))
      << played->json();
  EXPECT_EQ(with_kept_tools(good(R"({"avatarId":"a"})"), scope, items, "p", faults)->json(),
            R"({"avatarId":"a"})");
}

// Rule knowledge-of-one-workspace.
TEST(Persona, SearchesOnlyDocumentsOfItsWorkspace) {
  OneOfEach items;
  const auto content =
      good(R"({"avatarId":"a","tools":[{"name":"find","type":"server","subtype":"knowledge",)"
           R"("documentFolderIds":["ours"]}]})");
  EXPECT_TRUE(names_items(content));
  ASSERT_EQ(content.searched_groups().size(), 1u);
  EXPECT_EQ(content.searched_groups().front().id, "ours");
  for (const auto& [workspace, paths] :
       {std::pair("ws_1", ""), {"ws_2", "p.tools[0].documentFolderIds"}}) {
    Faults faults;
    EXPECT_TRUE(with_kept_tools(content, {workspace, Environment::live}, items, "p", faults));
    EXPECT_EQ(faults.empty() ? "" : faults.front().path, paths);
  }
}

TEST(Persona, HasNoMoreToolsThanItMayWithThoseThatItNames) {
  OneOfEach items;
  Faults faults;
  std::string ids;
  for (std::size_t i = 0; i < persona_tools_max; ++i) ids += std::string(i ? "," : "") + "\"ours\"";
  const auto content =
      good(R"({"avatarId":"a","tools":[{"name":"own","type":"client"}],"toolIds":[)" + ids + "]}");
  ASSERT_TRUE(with_kept_tools(content, {"ws_1", Environment::live}, items, "p", faults));
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults.front().path, "p.toolIds");
  EXPECT_EQ(faults.front().code, "too_many");
}

TEST(Persona, ChangesWhatAChangeNamesAndNothingElse) {
  const auto before = good(R"({"name":"n","avatarId":"a","systemPrompt":"s"})", PersonaForm::kept);
  const auto after = changed(before, R"({"systemPrompt":"t","skipGreeting":true})");
  ASSERT_TRUE(after);
  EXPECT_EQ(after->json(), R"({"avatarId":"a","name":"n","skipGreeting":true,"systemPrompt":"t"})");
  const auto less = changed(*after, R"({"skipGreeting":null})");
  ASSERT_TRUE(less);
  EXPECT_EQ(less->json(), R"({"avatarId":"a","name":"n","systemPrompt":"t"})");
}

TEST(Persona, ForgetsSettingsOfAVoiceOrAvatarThatItLeaves) {
  const auto before = good(R"({"name":"n","avatarId":"a","avatarModel":"cara-3","voiceId":"v",)"
                           R"("voiceGenerationOptions":{"speed":1.1}})",
                           PersonaForm::kept);
  EXPECT_EQ(changed(before, R"({"voiceId":"w"})")->json(),
            R"({"avatarId":"a","avatarModel":"cara-3","name":"n","voiceId":"w"})");
  EXPECT_EQ(changed(before, R"({"avatarId":"b","avatarModel":"cara-4"})")->json(),
            R"({"avatarId":"b","avatarModel":"cara-4","name":"n",)"
            R"("voiceGenerationOptions":{"speed":1.1},"voiceId":"v"})");
}

TEST(Persona, RefusesAChangeThatItDoesNotKnow) {
  const auto before = good(R"({"name":"n"})", PersonaForm::kept);
  for (const auto* text : {R"({"unknown":1})", R"({"name":null})", R"({"avatarModel":"x"})", "[]"})
    EXPECT_FALSE(changed(before, text)) << text;
}

crypto::HmacKey key(char one = 'k') {
  return crypto::HmacKey(base::Secret(std::string(32, one)));
}

PersonaSnapshot snapshot(const PersonaContent& content, std::string_view persona_id = {},
                         std::string_view session_options = {}, std::string_view character = {}) {
  return snapshot_of({content, persona_id, session_options, character}, key());
}

// Rule persona-snapshot-stored-once.
TEST(PersonaSnapshot, HasOneAddressForOneContent) {
  const auto one = snapshot(good(R"({"avatarId":"a","voiceId":"v"})"));
  const auto same = snapshot(good(R"({"voiceId":"v","avatarId":"a","x":1})"));
  EXPECT_EQ(one.digest, same.digest);
  EXPECT_EQ(one.content, R"({"persona":{"avatarId":"a","voiceId":"v"}})");
  const auto content = good(R"({"avatarId":"a","voiceId":"v"})");
  // Without the key nobody can tell whether a content is that of an address.
  EXPECT_EQ(one.digest, key().mac(one.content));
  EXPECT_NE(one.digest, snapshot_of({content, "", "", ""}, key('x')).digest);
  EXPECT_NE(one.digest, crypto::sha256(one.content));
  EXPECT_NE(one.digest, snapshot(content, "p").digest);
  EXPECT_NE(one.digest, snapshot(content, "", "{}").digest);
  EXPECT_NE(one.digest, snapshot(content, "", "", "bruno").digest);
  EXPECT_EQ(snapshot(content, "", "", "bruno").content,
            R"({"character":"bruno","persona":{"avatarId":"a","voiceId":"v"}})");
}

TEST(SessionOptions, TakeBothSidesOfThePictureOrNeither) {
  const auto fault = [](std::string_view text) -> std::string {
    base::JsonReader reader;
    const auto options = read_session_options(*reader.read(text), "o");
    return options ? *options : options.error().front().path;
  };
  EXPECT_EQ(fault("{}"), "{}");
  EXPECT_EQ(fault(R"({"videoWidth":720,"videoHeight":480})"),
            R"({"videoHeight":480,"videoWidth":720})");
  EXPECT_EQ(fault(R"({"videoWidth":720})"), "o.videoHeight");
  EXPECT_EQ(fault(R"({"videoHeight":720})"), "o.videoWidth");
  EXPECT_EQ(fault(R"({"egress":{}})"), "o.egress");
}

}  // namespace
}  // namespace stagedoor::rules
