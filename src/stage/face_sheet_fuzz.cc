// Any bytes as a face sheet: no crash, and what is accepted can be posed for any face.
//
// SPDX-License-Identifier: Apache-2.0

#include "base/text.h"
#include "stage/face_pose.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stagedoor;
  const auto sheet = stage::read_face_sheet(base::as_text({data, size}));
  if (!sheet) return 0;
  stage::FaceInputs inputs;
  stage::FacePose pose;
  for (const float value : {0.0F, 1.0F, -4.0F}) {
    for (std::size_t input = 0; input < stage::face_input_count; ++input) inputs.set(input, value);
    stage::pose_face(*sheet, inputs, pose);
    for (const auto& layer : sheet->layers) {
      const auto& posed = pose.layers[static_cast<std::size_t>(&layer - sheet->layers.data())];
      for (std::size_t s = 0; s < layer.shapes.size(); ++s) {
        const auto* points = pose.points.data() + pose.shapes[posed.first + s].path.first;
        const auto& path = layer.shapes[s].path;
        for (std::size_t i = 0; i < stage::curve_part_count(path); ++i)
          (void)stage::curve_part(path, points, i);
      }
    }
  }
  return 0;
}
