// The Anam door, built: its classes and the actions that only it needs.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "actions/end_live_session.h"
#include "actions/find_maker.h"
#include "actions/keep_catalog_item.h"
#include "actions/keep_knowledge.h"
#include "actions/keep_persona.h"
#include "actions/keep_share_link.h"
#include "actions/open_share_link.h"
#include "actions/remove_session.h"
#include "anam/avatars.h"
#include "anam/item_replies.h"
#include "anam/kept_items.h"
#include "anam/knowledge.h"
#include "anam/personas.h"
#include "anam/session_analytics.h"
#include "anam/session_tokens.h"
#include "anam/sessions.h"
#include "anam/share_links.h"
#include "anam/voices.h"
#include "base/log.h"
#include "http/router.h"
#include "rules/knowledge.h"
#include "rules/language_model.h"
#include "rules/tool.h"
#include "server/character_pictures.h"
#include "server/reception.h"
#include "server/workspace.h"

namespace stagedoor::server {

// Safe for concurrent use. Outlives the router.
class AnamDoor {
 public:
  AnamDoor(Workspace& workspace, const Reception& reception, rules::LiveSessions& live,
           base::Log& log, const std::string& public_url)
      : reception_(reception),
        keep_({.references = workspace.references(),
               .personas = *workspace.personas,
               .clock = workspace.clock,
               .random = workspace.random}),
        session_tokens_({.mint = *workspace.mint_persona, .log = log}),
        personas_({.keep = keep_,
                   .personas = *workspace.personas,
                   .references = {.catalog = *workspace.catalog,
                                  .voices = workspace.voices,
                                  .items = *workspace.items,
                                  .knowledge = *workspace.knowledge,
                                  .links = *workspace.share_links,
                                  .public_url = public_url}}),
        end_({.sessions = live, .ledger = *workspace.ledger, .clock = workspace.clock}),
        remove_({.records = *workspace.session_records,
                 .reports = *workspace.session_reports,
                 .clock = workspace.clock}),
        sessions_({.records = *workspace.session_records,
                   .reports = *workspace.session_reports,
                   .live = live,
                   .catalog = *workspace.catalog,
                   .end = end_,
                   .remove = remove_}),
        analytics_({.records = *workspace.session_records,
                    .reports = *workspace.session_reports,
                    .clock = workspace.clock}),
        avatars_({.keep = *workspace.keep_avatar,
                  .avatars = *workspace.avatars,
                  .catalog = *workspace.catalog,
                  .public_url = public_url,
                  .picture = [this](std::string_view character) { return pictures_(character); }}),
        voices_(workspace.voices),
        keep_item_(
            {.items = *workspace.items, .clock = workspace.clock, .random = workspace.random}),
        language_models_({.keep = keep_item_, .items = *workspace.items},
                         {.path = "/v1/llms",
                          .form = rules::language_model_form(),
                          .append = &anam::append_language_model,
                          .built_in = rules::built_in_language_models(),
                          .append_built_in = &anam::append_built_in_language_model,
                          .built_in_parameter = "includeDefaults"}),
        tools_({.keep = keep_item_, .items = *workspace.items},
               {.path = "/v1/tools", .form = rules::tool_form(), .append = &anam::append_tool}),
        knowledge_groups_({.keep = keep_item_, .items = *workspace.items},
                          {.path = "/v1/knowledge/groups",
                           .form = rules::knowledge_group_form(),
                           .append =
                               [&knowledge = *workspace.knowledge](
                                   std::string& out, const rules::CatalogItem& group) {
                                 anam::append_knowledge_group(out, group, knowledge);
                               },
                           .list = anam::KeptItems::Kind::List::bare}),
        keep_knowledge_({.knowledge = *workspace.knowledge,
                         .clock = workspace.clock,
                         .random = workspace.random}),
        knowledge_({.keep = keep_knowledge_,
                    .knowledge = *workspace.knowledge,
                    .items = *workspace.items}),
        keep_link_({.links = *workspace.share_links,
                    .catalog = *workspace.catalog,
                    .clock = workspace.clock,
                    .random = workspace.random}),
        find_maker_({.authenticate = *workspace.authenticate,
                     .records = *workspace.key_records,
                     .catalog = *workspace.catalog,
                     .members = *workspace.people}),
        open_link_({.links = *workspace.share_links,
                    .find_maker = find_maker_,
                    .mint = *workspace.mint_persona,
                    .audit = *workspace.audit,
                    .clock = workspace.clock}),
        share_links_({.keep = keep_link_, .open = open_link_, .links = *workspace.share_links}) {}

  void add_to(http::Router& router) const {
    session_tokens_.add_to(router, reception_.anam());
    personas_.add_to(router, reception_.anam());
    sessions_.add_to(router, reception_.anam());
    analytics_.add_to(router, reception_.anam());
    avatars_.add_to(router, reception_.anam());
    voices_.add_to(router, reception_.anam());
    language_models_.add_to(router, reception_.anam());
    tools_.add_to(router, reception_.anam());
    knowledge_groups_.add_to(router, reception_.anam());
    knowledge_.add_to(router, reception_.anam());
    share_links_.add_to(router, reception_.anam());
  }
  http::WaitingHandler list_avatars() const { return avatars_.list_for_keys(reception_.anam()); }
  http::WaitingHandler show_avatar() const { return avatars_.show_for_keys(reception_.anam()); }

 private:
  const Reception& reception_;
  CharacterPictures pictures_;
  actions::KeepPersona keep_;
  anam::SessionTokens session_tokens_;
  anam::Personas personas_;
  actions::EndLiveSession end_;
  actions::RemoveSession remove_;
  anam::Sessions sessions_;
  anam::SessionAnalytics analytics_;
  anam::Avatars avatars_;
  anam::Voices voices_;
  actions::KeepCatalogItem keep_item_;
  anam::KeptItems language_models_, tools_, knowledge_groups_;
  actions::KeepKnowledge keep_knowledge_;
  anam::Knowledge knowledge_;
  actions::KeepShareLink keep_link_;
  actions::FindMaker find_maker_;
  actions::OpenShareLink open_link_;
  anam::ShareLinks share_links_;
};

}  // namespace stagedoor::server
