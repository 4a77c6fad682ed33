import { expect, test } from 'vitest'
import { sourceFiles, sourceOf } from '../fixtures/product/source.ts'

/** How long SIGTERM may take before SIGKILL, as someone might write it down once more. */
const AS_NUMBER =
  /\b5_?000\b|\b(?:5|five)[ -]?(?:s|sec|seconds?)\b|\b(?:TimeoutStopSec|ExitTimeOut)\b\W{0,3}\d/i

/** What the lines about such a number speak of, if it is that one. */
const ENDING = /SIGTERM|SIGKILL|TimeoutStopSec|ExitTimeOut|grace|\bexitMs\b|\bstop|\bkill/i

/** How many lines above and below may tell what a number is. */
const NEAR = 3

/** `5 s` of something else than the grace period, by what its line says. */
const OTHERS = [
  // How long the kernel may take after SIGKILL.
  /^const KILL_TIMEOUT_MS = /,
  // How long a service manager may take to answer.
  /\bask_?ms\b/i,
]

/** The lines that state the grace period as a number, from 1. */
function statedIn(text: string): number[] {
  const lines = text.split('\n')
  return lines.flatMap((line, at) => {
    if (!AS_NUMBER.test(line) || OTHERS.some((other) => other.test(line))) return []
    const near = lines.slice(Math.max(0, at - NEAR), at + NEAR + 1)
    return ENDING.test(near.join('\n')) ? [at + 1] : []
  })
}

test('the time between SIGTERM and SIGKILL is stated in one place', () => {
  const places = sourceFiles.flatMap((file) => statedIn(sourceOf(file)).map((line) => `${file}:${line}`))
  expect(places.map((place) => place.replace(/:\d+$/, ''))).toEqual(['src/process/grace-period.ts'])
})

test.for([
  ["child.kill('SIGTERM')", 'await endsWithin(child, 5000)'],
  ['/** How long SIGTERM may take. */', 'const PATIENCE_MS = 5_000'],
  ["title: 'Wait up to 5 s for a clean exit',", 'run: () => stop(),'],
  ['// Killed five seconds later.'],
  ['[Service]', 'TimeoutStopSec=5'],
  ['ExitTimeOut: 5,'],
])('a copy of it is noticed: %s', (lines) => {
  expect(statedIn(`${lines.join('\n')}\n`)).toHaveLength(1)
})
