// A thing's number among those of its list, the column `number`: the later it was made, the higher.
//
// Rule list-in-order-of-making: a list that shows the newest first shows what was made later before
// what was made earlier, also where both are of one millisecond and where the clock was set back in
// between; and its pages show each thing once while nothing is added. So it is ordered by this
// number, which is given in the transaction that adds the thing: one writes at a time. The time at
// which a thing was made is told, and orders nothing. Of sessions the list is by the times that it
// tells, as the times are that it is asked for; there the number decides within one millisecond.
//
// The number of the last one is given again once that is gone: no two that are there have the same.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

namespace stagedoor::store {

// In an INSERT into the table: the value of `number`. `list`: the condition that the rows of the
// thing's list meet, by an index that goes on with `number`.
inline std::string next_number(std::string_view table, std::string_view list) {
  return "(SELECT ifnull(max(number), 0) + 1 FROM " + std::string(table) + " WHERE " +
         std::string(list) + ")";
}

}  // namespace stagedoor::store
