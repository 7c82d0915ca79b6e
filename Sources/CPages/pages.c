#include "pages.h"

// The text of a page is that of its file, which the compiler reads. `#embed` is of C23, and clang has it since release
// 19; with an older one the program has no pages.
#if defined(__has_embed)
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char getting_started[] = {
#embed "../JobReactor/JobReactor.docc/Start/GettingStarted.md"
};
static const unsigned char migrating_from_ruby[] = {
#embed "../JobReactor/JobReactor.docc/Start/MigratingFromRuby.md"
};
static const unsigned char glossary[] = {
#embed "../JobReactor/JobReactor.docc/Start/Glossary.md"
};
static const unsigned char architecture[] = {
#embed "../JobReactor/JobReactor.docc/Concepts/Architecture.md"
};
static const unsigned char job_lifecycle[] = {
#embed "../JobReactor/JobReactor.docc/Concepts/JobLifecycle.md"
};
static const unsigned char delivery[] = {
#embed "../JobReactor/JobReactor.docc/Concepts/Delivery.md"
};
static const unsigned char job_record[] = {
#embed "../JobReactor/JobReactor.docc/Concepts/JobRecord.md"
};
static const unsigned char lua_guide[] = {
#embed "../JobReactor/JobReactor.docc/Lua/LuaGuide.md"
};
static const unsigned char when_jobs_run[] = {
#embed "../JobReactor/JobReactor.docc/Lua/WhenJobsRun.md"
};
static const unsigned char suspension_and_tasks[] = {
#embed "../JobReactor/JobReactor.docc/Lua/SuspensionAndTasks.md"
};
static const unsigned char live_editing[] = {
#embed "../JobReactor/JobReactor.docc/Lua/LiveEditing.md"
};
static const unsigned char testing_jobs[] = {
#embed "../JobReactor/JobReactor.docc/Lua/TestingJobs.md"
};
static const unsigned char sandbox[] = {
#embed "../JobReactor/JobReactor.docc/Lua/Sandbox.md"
};
static const unsigned char lua_reference[] = {
#embed "../JobReactor/JobReactor.docc/Lua/LuaReference.md"
};
static const unsigned char adding_the_package[] = {
#embed "../JobReactor/JobReactor.docc/Swift/AddingThePackage.md"
};
static const unsigned char swift_guide[] = {
#embed "../JobReactor/JobReactor.docc/Swift/SwiftGuide.md"
};
static const unsigned char client_commands[] = {
#embed "../JobReactor/JobReactor.docc/Protocol/ClientCommands.md"
};
static const unsigned char storage[] = {
#embed "../JobReactor/JobReactor.docc/Storage/Storage.md"
};
static const unsigned char writing_a_storage[] = {
#embed "../JobReactor/JobReactor.docc/Storage/WritingAStorage.md"
};
static const unsigned char operations[] = {
#embed "../JobReactor/JobReactor.docc/Operations/Operations.md"
};
static const unsigned char deployment[] = {
#embed "../JobReactor/JobReactor.docc/Operations/Deployment.md"
};
static const unsigned char settings[] = {
#embed "../JobReactor/JobReactor.docc/Operations/Settings.md"
};
static const unsigned char at_three_in_the_morning[] = {
#embed "../JobReactor/JobReactor.docc/Operations/AtThreeInTheMorning.md"
};
static const unsigned char troubleshooting[] = {
#embed "../JobReactor/JobReactor.docc/Operations/Troubleshooting.md"
};
static const unsigned char backup_and_restore[] = {
#embed "../JobReactor/JobReactor.docc/Operations/BackupAndRestore.md"
};
static const unsigned char monitoring[] = {
#embed "../JobReactor/JobReactor.docc/Operations/Monitoring.md"
};
static const unsigned char dashboard[] = {
#embed "../JobReactor/JobReactor.docc/Operations/Dashboard.md"
};
static const unsigned char metrics[] = {
#embed "../JobReactor/JobReactor.docc/Operations/Metrics.md"
};
static const unsigned char tracing[] = {
#embed "../JobReactor/JobReactor.docc/Operations/Tracing.md"
};
static const unsigned char users_and_roles[] = {
#embed "../JobReactor/JobReactor.docc/Operations/UsersAndRoles.md"
};
static const unsigned char security[] = {
#embed "../JobReactor/JobReactor.docc/Operations/Security.md"
};
static const unsigned char limits[] = {
#embed "../JobReactor/JobReactor.docc/Operations/Limits.md"
};
static const unsigned char benchmarks[] = {
#embed "../JobReactor/JobReactor.docc/Benchmarks/Benchmarks.md"
};
static const unsigned char the_way_of_a_job[] = {
#embed "../JobReactorCore/JobReactorCore.docc/TheWayOfAJob.md"
};
static const unsigned char link_protocol[] = {
#embed "../JobReactorWire/JobReactorWire.docc/LinkProtocol.md"
};
static const unsigned char threat_model[] = {
#embed "../JobReactorWire/JobReactorWire.docc/ThreatModel.md"
};

#define PAGE(name, text) \
  { name, text, sizeof(text) }

static const struct jobreactor_page pages[] = {
    PAGE("getting-started", getting_started),
    PAGE("migrating-from-ruby", migrating_from_ruby),
    PAGE("glossary", glossary),
    PAGE("architecture", architecture),
    PAGE("job-lifecycle", job_lifecycle),
    PAGE("delivery", delivery),
    PAGE("job-record", job_record),
    PAGE("lua-guide", lua_guide),
    PAGE("when-jobs-run", when_jobs_run),
    PAGE("suspension-and-tasks", suspension_and_tasks),
    PAGE("live-editing", live_editing),
    PAGE("testing-jobs", testing_jobs),
    PAGE("sandbox", sandbox),
    PAGE("lua-reference", lua_reference),
    PAGE("adding-the-package", adding_the_package),
    PAGE("swift-guide", swift_guide),
    PAGE("client-commands", client_commands),
    PAGE("storage", storage),
    PAGE("writing-a-storage", writing_a_storage),
    PAGE("operations", operations),
    PAGE("deployment", deployment),
    PAGE("settings", settings),
    PAGE("at-three-in-the-morning", at_three_in_the_morning),
    PAGE("troubleshooting", troubleshooting),
    PAGE("backup-and-restore", backup_and_restore),
    PAGE("monitoring", monitoring),
    PAGE("dashboard", dashboard),
    PAGE("metrics", metrics),
    PAGE("tracing", tracing),
    PAGE("users-and-roles", users_and_roles),
    PAGE("security", security),
    PAGE("limits", limits),
    PAGE("benchmarks", benchmarks),
    PAGE("the-way-of-a-job", the_way_of_a_job),
    PAGE("link-protocol", link_protocol),
    PAGE("threat-model", threat_model),
};

const struct jobreactor_page *jobreactor_page(size_t index) {
  return index < sizeof(pages) / sizeof(pages[0]) ? &pages[index] : NULL;
}
#else
const struct jobreactor_page *jobreactor_page(size_t index) {
  (void)index;
  return NULL;
}
#endif
