import { homedir } from 'node:os'
import { expect, test } from 'vitest'
import { tilde } from '../../src/text/tilde.ts'

test.for([
  ['/home/ada/.privateconnect/daemon.log', '/home/ada', '~/.privateconnect/daemon.log'],
  ['/home/ada', '/home/ada', '~'],
  ['/home/ada2/file', '/home/ada', '/home/ada2/file'],
  ['/home', '/home/ada', '/home'],
  ['/srv/a.json', '/home/ada', '/srv/a.json'],
  ['/home/ada/file', '/home/ada/', '~/file'],
] as const)('%s in the home %s prints as %s', ([file, home, shown]) => {
  expect(tilde(file, home)).toBe(shown)
})

test('the home is this user’s unless another is given', () => {
  expect(tilde(`${homedir()}/x`)).toBe('~/x')
})
