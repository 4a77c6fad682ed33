#!/usr/bin/env node
// Else SIGUSR1 opens Node.js's debugger to every user of this machine. First of all, and for as long as this runs.
process.on('SIGUSR1', () => {})

// Old enough syntax for any Node.js that knows modules: an old one must get a sentence, not a SyntaxError.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 13)) {
  console.error(`[x] Private Connect needs Node.js 22.13 or newer, and this is ${process.versions.node}`)
  process.exit(1)
}
// Saves oclif a third of its start-up: the check above has been made.
process.env.OCLIF_DISABLE_ENGINE_WARNING ??= '1'

const typed = process.argv.slice(2)
// A data command has nothing optimised before it has work (src/runtime/v8-flags.ts ends that). Here, since to
// find the next file is work enough for V8 to load a compiler. Another command that has such a word in it loses
// the 4 ms that node:v8 takes to load; a shell that completes one is not kept waiting for that.
if (major <= 26 && typed[0] !== '__complete' && ['hub', 'reach', 'up'].some((word) => typed.includes(word))) {
  const v8 = process.getBuiltinModule('node:v8')
  for (const compiler of ['maglev', 'turbo']) v8.setFlagsFromString(`--${compiler}-filter=~`)
}

void import('../dist/start.js').then(({ start }) => start(typed))
