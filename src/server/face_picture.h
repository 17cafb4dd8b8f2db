// `stagedoor face NAME`: draws a character as the server draws it for a video.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

namespace stagedoor::server {

struct FaceOptions {
  std::string character;  // "ada", or a file that ends in .json
  std::string png = "face.png";
  std::string inputs = "{}";  // JSON: input to number
  int width = 720, height = 480;
};

// Complaints go to stderr. Gives the exit code: 0 done, 1 the sheet is wrong or the picture can't
// be written, 2 asked for wrongly.
int draw_face(const FaceOptions& options);

}  // namespace stagedoor::server
