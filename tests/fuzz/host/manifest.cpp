// The manifest of a plugin package: read before any of its code is, and by its nature from strangers.
#include "loader/manifest.h"

#include <filesystem>

#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const loader::Manifest manifest = loader::parse_manifest(as_text(data, size));
    const std::filesystem::path library(manifest.library);
    require(library.is_relative(), "the library is beside the manifest");
    for (const auto& part : library.lexically_normal()) require(part != "..", "the library stays below the folder");
    const loader::Manifest again = loader::parse_manifest(loader::to_json(manifest).dump());
    require(again.id == manifest.id && again.library == manifest.library && again.server_types == manifest.server_types,
            "a manifest survives being written");
    loader::verify(manifest, "/nonexistent");
    require(false, "a library that is not there is refused");
  } catch (const loader::PluginError& error) {
    require(*error.what() != '\0', "an error has its sentence");
  }
  return 0;
}
