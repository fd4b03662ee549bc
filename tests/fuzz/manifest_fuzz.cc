// Any bytes as a MANIFEST, as they are and with the envelope made right around them: never more
// than an error, and what decodes encodes to something that decodes to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "snapshot/manifest.h"

namespace {

void Check(std::string_view bytes) {
  const cairn::Result<cairn::Manifest> manifest = cairn::DecodeManifest(bytes);
  if (!manifest.ok()) return;
  const cairn::Result<std::string> encoded = cairn::EncodeManifest(*manifest);
  if (!encoded.ok() || !(*cairn::DecodeManifest(*encoded) == *manifest)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Check(input);
  if (size < cairn::kManifestEnvelopeBytes) return 0;
  std::string sealed(input);
  cairn::kManifestMagic.copy(sealed.data(), 8);
  cairn::StoreLittleEndian<uint32_t>(sealed.data() + 8, cairn::kManifestFormatVersion);
  const std::string_view payload = input.substr(cairn::kManifestEnvelopeBytes);
  cairn::StoreLittleEndian<uint32_t>(sealed.data() + 12, static_cast<uint32_t>(payload.size()));
  const uint32_t crc32c = cairn::Crc32c(payload, cairn::Crc32c({sealed.data(), 16}));
  cairn::StoreLittleEndian<uint32_t>(sealed.data() + 16, crc32c);
  Check(sealed);
  return 0;
}
