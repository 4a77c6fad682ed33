import { expect, test } from 'vitest'
import { firstMembers } from '../../src/config/first-steps.ts'

const joinHere = 'connect hub token create --invite | connect login --token-file -'

test.for([
  ['https://192.0.2.10:7700', ['connect hub token create --invite', joinHere]],
  ['https://127.0.0.1:7700', [joinHere]],
  ['http://localhost:7700', [joinHere]],
] as const)('a hub at %s that this machine has not joined: whom to let in first', ([url, commands]) => {
  expect(firstMembers(url).map(({ command }) => command)).toEqual(commands)
})
