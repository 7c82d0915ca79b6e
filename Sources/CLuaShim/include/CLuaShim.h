/// CLuaShim: the only caller of Lua's C API.
///
/// Swift never calls a Lua function that can raise, and no Swift frame ever lies between a protected call and the error
/// that unwinds to it: every function here catches what Lua raises and returns a code, and a host function written in
/// Swift returns before C raises on its behalf.
///
/// A `jr_state` and everything reached from it belong to one thread at a time; what may be called from any says so.
/// Nothing here blocks. The signal SIGURG interrupts runs: the shim handles it in the whole process, and passes on to
/// an earlier handler what is not its own.
#ifndef JOBREACTOR_CLUASHIM_H
#define JOBREACTOR_CLUASHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// One Lua state with the job definitions that its scripts made.
typedef struct jr_state jr_state;

/// Bytes that the shim owns; valid until the next call on the same state. Never NULL-terminated by contract.
typedef struct {
  const char *_Nullable bytes;
  size_t length;
} jr_bytes;

typedef enum {
  JR_LOG_DEBUG = 0,
  JR_LOG_INFO = 1,
  JR_LOG_WARNING = 2,
  JR_LOG_ERROR = 3,
} jr_log_level;

typedef enum {
  JR_NIL = 0,
  JR_BOOLEAN = 1,
  JR_INTEGER = 2,
  JR_NUMBER = 3,
  JR_STRING = 4,
  /// JSON text, which the script gets as the value it stands for; only from the host to the script.
  JR_JSON = 5,
} jr_value_kind;

/// A value on its way between a script and a function of the host.
typedef struct {
  jr_value_kind kind;
  bool boolean;
  int64_t integer;
  double number;
  jr_bytes bytes;
} jr_value;

/// What a function of the host comes to.
typedef struct {
  const jr_value *_Nullable values;
  size_t count;
  /// Why it failed; `bytes` is NULL when it did not. Raised with the place of the nearest calling script before it.
  jr_bytes error;
} jr_answer;

/// What the embedding program gives to a state. The functions are called on the state's thread from inside Lua; they
/// must return (no unwinding through C) and must not call any function of this header.
typedef struct {
  void *_Nullable context;
  /// `print` and `log.*` of a script. `run` is `jr_request.run` of the run that speaks, NULL while scripts load.
  void (*_Nullable log)(void *_Nullable context, void *_Nullable run, jr_log_level level, const char *_Nonnull message,
                        size_t length);
  /// `progress(fraction, text)` of a script, while a job runs. `fraction` is 0...1, or NAN when none was given; the
  /// text may have length 0.
  void (*_Nullable progress)(void *_Nullable context, void *_Nullable run, double fraction, const char *_Nonnull text,
                             size_t length);
  /// `enqueue` of a script: `json` is an array of objects `{"name":…,"args":{…},"options":{…}}`, `options` absent when
  /// not given. Returns true with `reply` a JSON array of as many ids, or false with `reply` an error text. `reply`
  /// must stay valid until the next call of the function on this state.
  bool (*_Nullable enqueue)(void *_Nullable context, void *_Nullable run, const char *_Nonnull json, size_t length,
                            jr_bytes *_Nonnull reply);
  /// While scripts load: `json` is the array of what `schedule` or `limit` (`word`) was called with, or for `job` the
  /// name of the job and its option `limit`. Returns true with `reply` a text to keep, or false with `reply` what is
  /// wrong, which is raised after the word. NULL keeps the JSON. `reply` must stay valid until the next call of the
  /// function on this state.
  bool (*_Nullable declare)(void *_Nullable context, const char *_Nonnull word, const char *_Nonnull json,
                            size_t length, jr_bytes *_Nonnull reply);
  /// A function of a library (`jr_function.number`) that answers at once. The answer must stay valid until the next
  /// call of a function on this state.
  void (*_Nullable call)(void *_Nullable context, void *_Nullable run, int number, const jr_value *_Nullable arguments,
                         size_t count, jr_answer *_Nonnull answer);
  /// One that answers later, through `jr_resume` with this token; the job is suspended until then. An error in `answer`
  /// is raised at once; nothing waits then.
  void (*_Nullable start)(void *_Nullable context, void *_Nullable run, uint64_t token, int number,
                          const jr_value *_Nullable arguments, size_t count, jr_answer *_Nonnull answer);
  /// Nobody waits any more for what that began: its job has ended, or the task that waited.
  void (*_Nullable abandon)(void *_Nullable context, uint64_t token);
} jr_host;

typedef struct jr_budget jr_budget;

typedef struct {
  /// Bytes this state may allocate; 0 is no limit. A script past it gets Lua's "not enough memory" error.
  size_t memory_limit;
  /// What it may allocate together with others; NULL is no limit. A script past it gets an error that names the limit.
  jr_budget *_Nullable budget;
  /// Folder under which `require` finds modules (`DIR/?.lua`, `DIR/?/init.lua`), before Lua's own path; NULL for none.
  const char *_Nullable module_directory;
  /// Takes away what reaches files, processes and C modules.
  bool strict;
  /// Whether errors name settings as flags of the program (`--memory-limit`) and not as parameters in Swift
  /// (`memoryLimit`).
  bool names_flags;
  /// Seconds that a script may take while it is loaded, and finalizers beside runs; 0 is 10.
  double loading_seconds;
} jr_options;

// MARK: Memory

/// Makes memory that several states may have between them; 0 is no limit. NULL when the process has none. It must
/// outlive the states.
jr_budget *_Nullable jr_budget_make(size_t limit);
void jr_budget_free(jr_budget *_Nullable budget);

/// Takes so many bytes of it for something beside Lua, or gives them back. False when there are not as many. From any
/// thread.
bool jr_budget_take(jr_budget *_Nonnull budget, size_t bytes);
void jr_budget_give(jr_budget *_Nonnull budget, size_t bytes);

/// What is taken: by a state in portions of 256 KiB. From any thread.
size_t jr_budget_used(const jr_budget *_Nonnull budget);

/// How often states were refused what they asked for. From any thread.
uint64_t jr_budget_refusals(const jr_budget *_Nonnull budget);

/// Opens a state with the standard libraries and the DSL; NULL when memory ran out.
jr_state *_Nullable jr_open(const jr_host *_Nonnull host, const jr_options *_Nonnull options);

/// Runs the finalizers that are left, each interrupted when all take longer than `loading_seconds`, and frees what Lua
/// has. Bytes obtained from the state are gone; of all functions only `jr_look` and `jr_close` may be called from then
/// on.
void jr_shut(jr_state *_Nonnull state);

/// Closes the state, after `jr_shut`, which it does where nobody has; NULL is allowed.
void jr_close(jr_state *_Nullable state);

/// Bytes now allocated by the state.
size_t jr_memory_used(const jr_state *_Nonnull state);

/// Collects the garbage of the state, for others that need the memory. Not while a run is under way.
void jr_collect(jr_state *_Nonnull state);

// MARK: Libraries

typedef struct {
  const char *_Nonnull name;
  /// What `jr_host.call` or `jr_host.start` is told.
  int number;
  bool suspends;
} jr_function;

/// Runs the Lua text of a library, with a table of these functions as its argument. Before the first script. Its frames
/// are left out of the places of errors. On failure returns false and `error` holds the message.
bool jr_open_library(jr_state *_Nonnull state, const char *_Nonnull name, const char *_Nonnull source, size_t length,
                     const jr_function *_Nullable functions, size_t count, jr_bytes *_Nonnull error);

// MARK: Scripts

typedef struct {
  /// The path that errors show (`reactor_jobs/x.lua`).
  const char *_Nonnull name;
  /// What `require` calls it (`lib.tally`); NULL where it cannot be required.
  const char *_Nullable module;
  const char *_Nonnull source;
  size_t length;
  /// Text that is used when `source` cannot be: that of the last good version; NULL for none.
  const char *_Nullable fallback;
  size_t fallback_length;
  /// Why there is no source: the script fails with that text. NULL for one that has been read.
  const char *_Nullable problem;
  /// Whether it runs only where it is required: by another script, or later by a job.
  bool waits;
} jr_script;

typedef enum {
  JR_SCRIPT_LOADED = 0,
  JR_SCRIPT_FELL_BACK = 1,  // `error` says why
  JR_SCRIPT_FAILED = 2,
} jr_script_outcome;

/// `error` is `file:line: text`, with the traceback when there is one; empty for a script that was loaded.
typedef void (*jr_script_function)(void *_Nullable context, size_t index, jr_script_outcome outcome,
                                   const char *_Nonnull error, size_t length);

/// Runs the scripts of a folder in order, each once: one that another requires before its turn runs then, with the name
/// of the module and its path as arguments, and what it returns is what `require` returns from then on. Definitions are
/// kept of scripts that ran as a whole. Tells of each; not of those that wait and that no script has required, whose
/// text the state keeps. Once in a state.
void jr_load_scripts(jr_state *_Nonnull state, const jr_script *_Nonnull scripts, size_t count, void *_Nullable context,
                     jr_script_function _Nonnull report);

/// Runs one script. `name` is the path that errors show (`reactor_jobs/x.lua`). Its definitions are kept only when the
/// whole script ran: a script that raises leaves none behind. Returns true when good; otherwise `error` holds
/// `file:line: text`, and the traceback when there is one.
bool jr_load_script(jr_state *_Nonnull state, const char *_Nonnull name, const char *_Nonnull source, size_t length,
                    jr_bytes *_Nonnull error);

typedef enum {
  JR_PROBLEM_WARNING = 0,  // e.g. a job defined twice: the later definition stands
  JR_PROBLEM_ERROR = 1,    // e.g. a callback for a name that no job defines
} jr_problem_severity;

typedef void (*jr_problem_function)(void *_Nullable context, jr_problem_severity severity, const char *_Nonnull message,
                                    size_t length);

/// Joins what the scripts defined: callbacks and errbacks find their jobs, in definition order, whatever the order of
/// the files. Reports every problem as `file:line: text`. Call it once, after the last script and before the first run.
/// Returns false only when memory ran out.
bool jr_join_definitions(jr_state *_Nonnull state, void *_Nullable context, jr_problem_function _Nonnull report);

/// How the delay before the next attempt grows.
typedef enum {
  JR_BACKOFF_UNSET = 0,
  JR_BACKOFF_LINEAR = 1,
  JR_BACKOFF_EXPONENTIAL = 2,
  JR_BACKOFF_FUNCTION = 3,  // `jr_run` calls it after a failed run; its answer is in `jr_result.retry_in`
} jr_backoff;

/// One job as its scripts define it. The strings live as long as the call that hands them over.
typedef struct {
  const char *_Nonnull name;
  size_t name_length;
  const char *_Nonnull file;
  int line;
  int callbacks;
  int errbacks;
  /// Per-job options; NAN where the script says nothing.
  double max_attempt;
  double retry_multiplier;
  jr_backoff backoff;
  double jitter;           // 0...1
  double max_retry_delay;  // seconds
  double timeout;          // seconds of one attempt
  double priority;         // 0...9
  /// What `jr_host.declare` gave for its limits; `bytes` is NULL where it has none.
  jr_bytes limits;
} jr_job_definition;

typedef void (*jr_job_function)(void *_Nullable context, const jr_job_definition *_Nonnull job);

/// Hands over every job, sorted by name. Returns false only when memory ran out.
bool jr_list_jobs(jr_state *_Nonnull state, void *_Nullable context, jr_job_function _Nonnull visit);

/// A call of `schedule` or `limit`. The strings live as long as the call that hands them over.
typedef struct {
  /// Which of them.
  const char *_Nonnull word;
  /// What `jr_host.declare` gave for it.
  jr_bytes text;
  const char *_Nonnull file;
  int line;
} jr_declaration;

typedef void (*jr_declaration_function)(void *_Nullable context, const jr_declaration *_Nonnull declaration);

/// Hands over those of the scripts that were loaded, in the order of the calls. Returns false only when memory ran out.
bool jr_list_declarations(jr_state *_Nonnull state, void *_Nullable context, jr_declaration_function _Nonnull visit);

// MARK: Looking at scripts

/// Compiles a script without running it. `out` is the compiled chunk in Lua's own format, with names and lines; on
/// failure returns false and `out` holds `file:line: text`.
bool jr_compile(jr_state *_Nonnull state, const char *_Nonnull name, const char *_Nonnull source, size_t length,
                jr_bytes *_Nonnull out);

typedef void (*jr_global_function)(void *_Nullable context, const char *_Nonnull name, size_t length);

/// Hands over the names of all globals that have a value, in no order. `open` is set when `_G` answers for others too,
/// through the `__index` of a metatable. Returns false only when memory ran out.
bool jr_list_globals(jr_state *_Nonnull state, void *_Nullable context, jr_global_function _Nonnull visit,
                     bool *_Nonnull open);

/// Hands over the names of the modules that `require` has already, in no order; before the first script those that are
/// built in. Returns false only when memory ran out.
bool jr_list_modules(jr_state *_Nonnull state, void *_Nullable context, jr_global_function _Nonnull visit);

// MARK: Runs

typedef enum {
  /// The job and its callbacks ran. `args` is the table as it then stood.
  JR_RUN_SUCCEEDED = 0,
  /// `CancelJob` in the job or a callback. `args` is the table as it then stood.
  JR_RUN_CANCELLED = 1,
  /// A step raised and the errbacks ran. `args` is what the errbacks left, without `error` and `errback_error`,
  /// which stand in the fields of that name.
  JR_RUN_FAILED = 2,
  /// As `JR_RUN_FAILED`, and an errback cancelled the job.
  JR_RUN_FAILED_CANCELLED = 3,
  /// No script defines the job; nothing ran and no field is set.
  JR_RUN_UNDEFINED = 4,
  /// A step raised, and errbacks or a backoff function are still to be called: only for `jr_request.pauses`.
  JR_RUN_RAISED = 5,
  /// The job waits for the host, and goes on by `jr_resume` or ends by `jr_end_suspended`. Only `suspended` and
  /// `deadline` are set.
  JR_RUN_SUSPENDED = 6,
} jr_run_outcome;

/// A run that has been suspended, until its outcome is another.
typedef struct jri_run jr_suspended;

typedef struct {
  /// Handed to `jr_host.log` while this run speaks.
  void *_Nullable run;
  const char *_Nonnull name;
  size_t name_length;
  /// The job's stored args: one JSON object.
  const char *_Nonnull args;
  size_t args_length;
  /// A JSON object that the script sees as `args.job_itself`, or NULL. Never part of a result.
  const char *_Nullable job_itself;
  size_t job_itself_length;
  /// Tells runs apart for `jr_cancel_run`; never 0.
  uint64_t number;
  /// The first argument of a backoff function.
  int32_t attempt;
  /// Seconds for this run, 0 for no limit: the body and the callbacks have that long together, then the errbacks, then
  /// the backoff function. A definition's own timeout is not looked at: it has to be given here.
  double timeout;
  /// Come back with `JR_RUN_RAISED` before the errbacks of a run that failed, so that the failure can be stored first.
  bool pauses;
  /// What such a run left in `jr_result.error`: no body and no callbacks, but the errbacks run, and the backoff
  /// function. NULL for a run from its beginning.
  const char *_Nullable error;
  size_t error_length;
} jr_request;

typedef struct {
  jr_run_outcome outcome;
  /// One JSON object without `job_itself`. It is `jr_request.args`, byte for byte, when a run that did not succeed left
  /// none that can be stored, or when what was stored is no JSON object; of a run with `pauses` that has been suspended
  /// `bytes` is then NULL.
  jr_bytes args;
  /// JSON value of `args.error`: a string `file:line: text`, or the table that was raised.
  jr_bytes error;
  /// JSON string: why an errback raised; empty when none did.
  jr_bytes errback_error;
  /// The error as plain text, for people and for the record.
  jr_bytes message;
  /// Lua's traceback of the step that raised, as plain text; empty when that was in an earlier call.
  jr_bytes traceback;
  /// Of `JR_RUN_FAILED`: seconds until the next attempt, from `retry_in(seconds)` in an errback, else from the backoff
  /// function; NAN when neither says.
  double retry_in;
  /// Of `JR_RUN_FAILED` and `JR_RUN_RAISED`: which step raised, such as `callback 'notify'`; empty for the body.
  jr_bytes step;
  /// Of `JR_RUN_SUSPENDED`.
  jr_suspended *_Nullable suspended;
  /// Of `JR_RUN_SUSPENDED`: when its time is up, in nanoseconds of the monotonic clock; 0 for never.
  int64_t deadline;
} jr_result;

/// Runs a job: its body, then its callbacks, or its errbacks when one of those raises. Never fails itself: whatever
/// goes wrong, memory included, is an outcome. The bytes in `result` are valid until the next call on this state;
/// should the process itself be out of memory, `result.args` may point at the request's bytes.
void jr_run(jr_state *_Nonnull state, const jr_request *_Nonnull request, jr_result *_Nonnull result);

/// Answers what a suspended job waits for, and runs it on. False, and nothing happens, when nobody waits for that any
/// more.
bool jr_resume(jr_state *_Nonnull state, uint64_t token, const jr_answer *_Nonnull answer, jr_result *_Nonnull result);

/// The number of the run that waits for what the token stands for; 0 for none.
uint64_t jr_waiting_run(jr_state *_Nonnull state, uint64_t token);

typedef enum {
  /// As `jr_cancel_run`.
  JR_END_CANCELLED = 1,
  /// Its time is up.
  JR_END_TIMED_OUT = 2,
} jr_end_reason;

/// Ends what a suspended job is at; after a timeout its errbacks run, and may suspend it again.
void jr_end_suspended(jr_state *_Nonnull state, jr_suspended *_Nonnull run, jr_end_reason reason,
                      jr_result *_Nonnull result);

/// Runs that are suspended.
size_t jr_suspended_count(const jr_state *_Nonnull state);

enum { JR_PLACE_SIZE = 72, JR_SITE_SIZE = 128 };

/// What a state is at. Times are nanoseconds of the monotonic clock.
typedef struct {
  /// When the run that is under way began to run, or to run on, without a pause since; or a script that is loaded, or
  /// what else runs finalizers. 0 when nothing is under way.
  int64_t began;
  /// When that is to be interrupted; 0 for never.
  int64_t deadline;
  /// The run that `jr_warn_run` was called for, as long as it has not come to a Lua instruction: it is within C.
  uint64_t asked;
  /// Index of the script that `jr_load_scripts` runs, plus 1; 0 for none.
  size_t script;
  /// The function of Lua's libraries that is under way, of those that may take long, such as `os.execute`; NULL for
  /// none. It may have raised a while ago.
  const char *_Nullable function;
  /// `file:line` of the script that has called it; empty when no script has.
  char place[JR_PLACE_SIZE];
  /// `file:line in name` of a script's call of any function of C, which a run was in when it was last asked, or
  /// interrupted, and which has not come to a Lua instruction since; `file:line within C` where the name is not known;
  /// empty when neither is.
  char site[JR_SITE_SIZE];
} jr_activity;

/// From any thread, until `jr_close`.
void jr_look(const jr_state *_Nonnull state, jr_activity *_Nonnull out);

/// Of the run of that number, if it is under way: logs at which place of its script it is, at its next Lua instruction.
/// From any thread.
void jr_warn_run(jr_state *_Nonnull state, uint64_t number);

/// Raises in that run, if it is under way, that it ran too long without a pause. From any thread.
void jr_stop_slice(jr_state *_Nonnull state, uint64_t number);

/// Cancels the run of that number, if it is the one that runs now: at its next Lua instruction, as `cancel_job()`
/// would. From any thread. A run that is over is left alone; a cancellation that comes just before its run begins is
/// kept for it. Returns at once. The state must outlive the call.
void jr_cancel_run(jr_state *_Nonnull state, uint64_t number);

// MARK: JSON

/// Decodes JSON into Lua values and encodes those again: what a job that changes nothing does to its args. For tests
/// and tools. On failure returns false and `out` holds the message.
bool jr_json_round_trip(jr_state *_Nonnull state, const char *_Nonnull json, size_t length, jr_bytes *_Nonnull out);

// MARK: Measuring

/// Calls the body of a job `count` times with one table made of the args, and nothing of a run around it. Returns the
/// nanoseconds that the calls took; -1 when there is no such job, or when a call raised.
int64_t jr_time_bare_calls(jr_state *_Nonnull state, const char *_Nonnull name, const char *_Nonnull args,
                           size_t args_length, uint64_t count);

#ifdef __cplusplus
}
#endif

#endif
