// The members of a persona: their kinds, lengths and ranges.
//
// Their names and limits are those of the vendor whose dialect has personas (contract 1.1, 1.3),
// since a persona that is written for it must be a persona here.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "base/json_shape.h"
#include "rules/persona.h"

namespace stagedoor::rules {

const base::JsonShape& persona_shape(PersonaForm form);
// The kept form, as a change leaves it: members that are not known are refused.
const base::JsonShape& changed_persona_shape();
const base::JsonShape& session_options_shape();

}  // namespace stagedoor::rules
