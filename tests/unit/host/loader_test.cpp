#include <functional>

#include "host/support.h"
#include "loader/discovery.h"

namespace {

using base::Json;
using host_test::assert_contains;
using host_test::install;
using host_test::write_manifest;
using loader::Plugins;
namespace fs = std::filesystem;

class LoaderTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LoaderTest);
  CPPUNIT_TEST(loads_a_plugin_and_calls_shutdown);
  CPPUNIT_TEST(looks_where_it_says_in_that_order);
  CPPUNIT_TEST(an_option_is_the_only_folder);
  CPPUNIT_TEST(a_broken_plugin_does_not_stop_the_others);
  CPPUNIT_TEST(tells_where_it_looked);
  CPPUNIT_TEST(of_two_with_one_id_the_first_is_used);
  CPPUNIT_TEST(refuses_faulty_manifests);
  CPPUNIT_TEST(refuses_a_manifest_that_lies);
  CPPUNIT_TEST(refuses_a_library_outside_of_the_package);
  CPPUNIT_TEST(refuses_faulty_modules);
  CPPUNIT_TEST(writes_the_manifest_that_it_reads);
  CPPUNIT_TEST(the_schema_says_what_the_loader_does);
  CPPUNIT_TEST_SUITE_END();

  base::ScratchFolder scratch_{"loader-test"};
  const fs::path folder_ = scratch_.path() / "plugins";
  const fs::path state_ = scratch_.path() / "state";

  Plugins load() {
    loader::DiscoveryOptions where;
    where.folder = folder_;
    return Plugins(where, state_, host_test::quiet());
  }

  // The plugin is refused and the sentence says this.
  void refused(const std::string& because) {
    const Plugins plugins = load();
    CPPUNIT_ASSERT(!plugins.any_usable());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, plugins.problems().size());
    assert_contains(plugins.problems()[0], because);
    assert_contains(plugins.problems()[0], folder_.string());
  }

  void refused_manifest(const Json& manifest, const std::string& because) {
    write_manifest(folder_, "fake_plugin", manifest);
    refused(because);
  }

  void loads_a_plugin_and_calls_shutdown() {
    install("fake_plugin", folder_);
    {
      const Plugins plugins = load();
      CPPUNIT_ASSERT(plugins.any_usable());
      CPPUNIT_ASSERT(plugins.problems().empty());
      const auto* incoming = plugins.server_type("fake", MAILPLUGIN_INCOMING);
      CPPUNIT_ASSERT(incoming != nullptr);
      CPPUNIT_ASSERT_EQUAL(std::string("fake.incoming"), std::string(incoming->id));
      CPPUNIT_ASSERT_EQUAL(std::string("fake.outgoing"),
                           std::string(plugins.server_type("fake", MAILPLUGIN_OUTGOING)->id));
      CPPUNIT_ASSERT(plugins.server_type("fake.incoming", MAILPLUGIN_INCOMING) == incoming);
      CPPUNIT_ASSERT(plugins.server_type("fake.incoming", MAILPLUGIN_OUTGOING) == nullptr);
      CPPUNIT_ASSERT(plugins.server_type("unknown", MAILPLUGIN_INCOMING) == nullptr);
      CPPUNIT_ASSERT(plugins.owner_of(incoming) == &plugins.all()[0]);
      CPPUNIT_ASSERT_EQUAL(std::vector<std::string>{"fake"}.at(0), plugins.type_names().at(0));
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, plugins.type_names().size());
      CPPUNIT_ASSERT((fs::status(state_ / "fake").permissions() & fs::perms::all) == fs::perms::owner_all);
    }
    assert_contains(base::read_file(state_ / "fake" / "diary.txt"), "shutdown");
  }

  void looks_where_it_says_in_that_order() {
    loader::DiscoveryOptions options;
    options.executable = "/opt/x/host-sim/host-sim";
    options.environment = [](const char* name) -> std::optional<std::string> {
      if (std::string(name) == "MAILPLUGIN_PATH") return "/first::/second:/first";
      if (std::string(name) == "HOME") return "/home/me";
      return std::nullopt;
    };
    const std::vector<fs::path> expected{"/first",
                                         "/second",
                                         "/opt/x/plugins",
                                         "/home/me/.local/share/mailplugin/plugins",
                                         "/usr/local/lib/mailplugin",
                                         "/usr/lib/mailplugin"};
    CPPUNIT_ASSERT(expected == loader::discovery_folders(options));
  }

  void an_option_is_the_only_folder() {
    loader::DiscoveryOptions options;
    options.folder = "/only";
    CPPUNIT_ASSERT(std::vector<fs::path>{"/only"} == loader::discovery_folders(options));
  }

  void a_broken_plugin_does_not_stop_the_others() {
    install("fake_plugin", folder_);
    install("fake_other", folder_);
    host_test::write_file(folder_ / "broken.mailplugin.json", "{ not json");
    host_test::write_file(folder_ / "readme.json", "{}");
    const Plugins plugins = load();
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, plugins.all().size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, plugins.problems().size());
    assert_contains(plugins.problems()[0], "broken.mailplugin.json: not JSON: line 1, column 3");
    CPPUNIT_ASSERT(plugins.server_type("fake", MAILPLUGIN_INCOMING) != nullptr);
    CPPUNIT_ASSERT(plugins.server_type("other", MAILPLUGIN_INCOMING) != nullptr);
  }

  void tells_where_it_looked() { refused("no plugin was found"); }

  void of_two_with_one_id_the_first_is_used() {
    install("fake_plugin", folder_);
    fs::copy_file(folder_ / "fake_plugin.mailplugin.json", folder_ / "z.mailplugin.json");
    const Plugins plugins = load();
    CPPUNIT_ASSERT(plugins.all()[0].module != nullptr);
    CPPUNIT_ASSERT(plugins.all()[1].module == nullptr);
    assert_contains(plugins.problems().at(0), "was already found");
  }

  void refuses_faulty_manifests() {
    const Json good = install("fake_plugin", folder_);
    refused_manifest(Json(good).set("vendro", "x"), "vendro: unknown key (did you mean \"vendor\"?)");
    refused_manifest(Json(good).set("version", 1), "version: a text is expected, not a whole number");
    refused_manifest(Json(good).set("format", 2), "format: 2 is not known");
    refused_manifest(Json(good).set("id", "../x"), "id: \"../x\" must be of");
    refused_manifest(Json(good).set("name", ""), "name: must not be empty");
    refused_manifest(Json(good).set("server_types", Json::array({Json(1)})), "server_types[0]: an object is expected");
    refused_manifest(Json::object({{"format", 1}}), "id: is missing");
    refused_manifest(Json::array(), "an object is expected, not a list");
    refused_manifest(Json(good).set("abi", Json::object({{"major", 2}, {"minor", 0}})),
                     "abi.major: the plugin was made for version 2");
    refused_manifest(Json(good).set("platform", "windows-x86_64"), "platform: the plugin was made for windows-x86_64");
  }

  void refuses_a_manifest_that_lies() {
    const Json good = install("fake_plugin", folder_);
    Json library = *good.find("library");
    refused_manifest(Json(good).set("library", Json(library).set("sha256", std::string(64, '0'))), "library.sha256:");
    refused_manifest(Json(good).set("library", Json(library).set("size", 1)), "library.size:");
    refused_manifest(Json(good).set("version", "9.9"),
                     "version: the manifest says \"9.9\", the plugin itself \"0.1.0\"");
    refused_manifest(Json(good).set("id", "another"), "id: the manifest says \"another\"");
    refused_manifest(Json(good).set("server_types", Json::array()), "server_types: the manifest says \"0\"");
    Json types = *good.find("server_types");
    types.items()[1].set("interfaces", Json::array({Json(MAILPLUGIN_INCOMING)}));
    refused_manifest(Json(good).set("server_types", types), "server_types[1].interfaces:");
  }

  void refuses_a_library_outside_of_the_package() {
    const Json good = install("fake_plugin", folder_);
    Json library = *good.find("library");
    refused_manifest(Json(good).set("library", Json(library).set("path", "/lib/x.so")),
                     "library.path: \"/lib/x.so\" is absolute");
    refused_manifest(Json(good).set("library", Json(library).set("path", "a/../../x.so")),
                     "leaves the package's folder");
    refused_manifest(Json(good).set("library", Json(library).set("path", "gone.so")), "cannot be found");
    fs::rename(folder_ / "fake_plugin.so", scratch_.path() / "elsewhere.so");
    fs::create_symlink(scratch_.path() / "elsewhere.so", folder_ / "fake_plugin.so");
    refused_manifest(good, "lies outside the package's folder");
  }

  void refuses_faulty_modules() {
    for (const auto& [name, because] :
         std::vector<std::pair<std::string, std::string>>{{"fake_small", "smaller than version 1.0"},
                                                          {"fake_refuses", "refuses this host"},
                                                          {"fake_no_entry", "has no mailplugin_entry_v1"}}) {
      fs::remove_all(folder_);
      install(name, folder_);
      refused(because);
    }
    fs::remove_all(folder_);
    Json manifest = install("fake_plugin", folder_);
    host_test::write_file(folder_ / "fake_plugin.so", "no library");
    const base::Digest digest = base::digest_file(folder_ / "fake_plugin.so");
    Json library = *manifest.find("library");
    library.set("size", static_cast<std::int64_t>(digest.size)).set("sha256", digest.sha256);
    refused_manifest(manifest.set("library", library), "cannot be loaded");
  }

  void writes_the_manifest_that_it_reads() {
    const Json manifest = install("fake_plugin", folder_);
    const auto described = loader::describe_library(folder_ / "fake_plugin.so", host_test::quiet());
    CPPUNIT_ASSERT_EQUAL(manifest.dump(), loader::to_json(described).dump());
  }

  // Every object of the schema: a required key that is missing is refused with its path, and the keys it names are all
  // the loader takes.
  void schema_agrees(const Json& schema, const Json& manifest, const std::string& path,
                     const std::function<Json(const Json&)>& whole) {
    const auto text = [&](const Json& part) { return whole(part).dump(); };
    const Json& properties = *schema.find("properties");
    for (const Json& required : schema.find("required")->items()) {
      Json without = Json::object();
      for (const auto& [key, value] : manifest.members()) {
        if (key != required.as_string()) without.set(key, value);
      }
      try {
        loader::parse_manifest(text(without));
        CPPUNIT_FAIL("accepted without " + required.as_string());
      } catch (const loader::PluginError& error) {
        CPPUNIT_ASSERT_EQUAL(path + required.as_string() + ": is missing", std::string(error.what()));
      }
    }
    for (const auto& [key, value] : manifest.members()) CPPUNIT_ASSERT_MESSAGE(key, properties.find(key) != nullptr);
    for (const auto& [key, value] : properties.members()) {
      Json with = manifest;
      if (manifest.find(key) == nullptr) with.set(key, "text");
      loader::parse_manifest(text(with));
    }
    CPPUNIT_ASSERT(!schema.find("additionalProperties")->as_bool());
  }

  void the_schema_says_what_the_loader_does() {
    const Json schema = Json::parse(base::read_file(MANIFEST_SCHEMA));
    const Json good = install("fake_plugin", folder_);
    schema_agrees(schema, good, "", [](const Json& whole) { return whole; });
    for (const char* key : {"abi", "library"}) {
      schema_agrees(*schema.find("properties")->find(key), *good.find(key), std::string(key) + ".",
                    [&](const Json& part) { return Json(good).set(key, part); });
    }
    schema_agrees(*schema.find("properties")->find("server_types")->find("items"),
                  good.find("server_types")->items()[0], "server_types[0].",
                  [&](const Json& part) { return Json(good).set("server_types", Json::array({part})); });
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(LoaderTest);

}  // namespace
