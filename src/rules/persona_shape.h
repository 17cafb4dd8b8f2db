// The members of a persona: their kinds, lengths and ranges.
//
// Their names and limits are those of the vendor whose dialect has personas (contract 1.1, 1.3),
// since a persona that is written for it must be a persona here.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string_view>

#include "base/json_shape.h"
#include "rules/persona.h"

namespace stagedoor::rules {

const base::JsonShape& persona_shape(PersonaForm form);
// The kept form, as a change leaves it: members that are not known are refused.
const base::JsonShape& changed_persona_shape();
const base::JsonShape& session_options_shape();
// What of a persona a client may change while it plays, within the bounds of a persona.
const base::JsonShape& played_change_shape();
// Of the session options, what a client that shows a token may say itself.
const base::JsonShape& session_voice_detection_shape();

// What the shapes of a tool share (rules/tool.h).
base::JsonShape tool_name_shape();
base::JsonShape folder_ids_shape();
// An https or http URL with a host.
bool is_web_address(std::string_view text);
// Its scheme, host and port, as they stand there.
std::string_view origin_of(std::string_view web_address);

}  // namespace stagedoor::rules
