// A face as the numbers of the FLAME head model that Spatius clients render (contract 3.3, 3.7).
//
// The vendor's expression basis is not public. What is firm is the shape of the numbers: which of
// them move, and how far. Our basis, in flame.cc, gives each facial movement a direction of its own
// within those ranges; a client that wants exact movement asks for named blendshapes instead.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "motion.pb.h"
#include "stage/face.h"

namespace stagedoor::spatius {

// Fills all seven fields: translation 3, rotation 3, neck_pose 3, jaw_pose 3, eye_pose 6,
// eye_lid 2, expression 100. Angles are radians.
void write_flame(const stage::Face& face, message::Flame& flame);

}  // namespace stagedoor::spatius
