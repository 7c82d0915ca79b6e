/// Functions that a script runs beside its steps: what `spawn` starts, and `after` and `every`.
#ifndef JOBREACTOR_TASKS_H
#define JOBREACTOR_TASKS_H

#include "runtime/run.h"

/// From here on the run ends the task, whatever happens. The task is in the registry.
void jri_add_task(jri_run *run, jri_strand *task);

bool jri_has_ended(const jri_strand *task);

/// Runs a task from where it is. What it comes to is kept in it. May raise "not enough memory".
void jri_run_task(lua_State *L, jri_strand *task, int arguments);

/// Whether tasks run that the step has to wait for.
bool jri_has_tasks(const jri_run *run);

/// Pushes the error of a task that nobody has waited for, and its traceback into the state's buffer; false when there
/// is none.
bool jri_push_unseen_error(lua_State *L, jri_run *run);

/// The strand goes on when the task has ended.
void jri_wait_for_task(jri_strand *strand, jri_strand *task);

/// The outcome of a task that has ended is what somebody asked for: its error is no longer one of the step.
void jri_see_outcome(lua_State *L, jri_strand *task);

/// Ends a task that has not ended: at once, or, when it runs, at its next pause. Raises nothing.
void jri_cancel_task(lua_State *L, jri_strand *task);

/// Ends all tasks of the run: what they have to close is closed. Raises nothing.
void jri_end_tasks(lua_State *L, jri_run *run);

#endif
