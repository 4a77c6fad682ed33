import type { PluginProblem } from '../../plugins/plugin-problem.ts'

let problems: readonly PluginProblem[] = []

/** Keeps what was wrong with plugins as they were loaded, for the commands that they matter to. */
export function keepProblems(found: readonly PluginProblem[]): void {
  problems = found
}

export function problemsAtLoad(): readonly PluginProblem[] {
  return problems
}
