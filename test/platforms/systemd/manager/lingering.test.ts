import { userInfo } from 'node:os'
import { expect, test } from 'vitest'
import { readLingering, setLingering } from '../../../../src/platforms/systemd/manager/lingering.ts'
import { UserManager } from '../../../../src/platforms/systemd/manager/systemctl.ts'
import { fakePrograms, type Behaviour } from '../helpers/fake-programs.ts'
import { sample } from '../helpers/sample.ts'

const managerWith = (loginctl: Behaviour) => new UserManager(fakePrograms({ loginctl }))

test.for([
  ['someone who lingers', { script: 'echo yes' }, 'on'],
  ['someone who is logged in and does not', { script: 'echo no' }, 'off'],
  ['someone who is neither', sample('show-user-bare-logged-out'), 'off'],
  [
    'someone who has just been let go',
    { script: 'echo "Failed to parse bus message: Invalid request descriptor" >&2; exit 1' },
    'off',
  ],
  ['a machine without a system bus', sample('show-user-no-bus'), 'unknown'],
  ['an answer in other words', { script: 'echo perhaps' }, 'unknown'],
  ['no answer', { script: 'exit 0' }, 'unknown'],
] as const)('of %s it is known', async ([, loginctl, known]) => {
  expect(await readLingering(managerWith(loginctl))).toBe(known)
})

test('where loginctl is missing, nothing is known, and it says so', async () => {
  const manager = new UserManager(fakePrograms({}))
  expect(await readLingering(manager)).toBe('unknown')
  expect(await setLingering(manager, 'on')).toBe(
    'loginctl enable-linger can’t be run: there is no such program',
  )
})

test('it is asked for by name, without a prompt, and looked at afterwards', async () => {
  const script = `case "$*" in
    '--no-ask-password enable-linger ${userInfo().username}') echo yes >"\${0%/*}/../lingers" ;;
    show-user*) cat "\${0%/*}/../lingers" 2>/dev/null || echo no ;;
    *) exit 9 ;;
  esac`
  const manager = managerWith({ script })
  expect(await readLingering(manager)).toBe('off')
  expect(await setLingering(manager, 'on')).toBeUndefined()
  expect(await readLingering(manager)).toBe('on')
})

test('a refusal is told in loginctl’s own words', async () => {
  const { stderr } = sample('enable-linger-named')
  const script = `case "$1" in show-user) echo no ;; *) echo '${stderr.trim()}' >&2; exit 1 ;; esac`
  expect(await setLingering(managerWith({ script }), 'on')).toBe(
    'loginctl enable-linger failed: Could not enable linger: Access denied',
  )
})

test('a yes that is none is found out', async () => {
  expect(await setLingering(managerWith({ script: '[ "$1" = show-user ] && echo no; exit 0' }), 'on')).toBe(
    'loginctl said yes, but lingering is off',
  )
})
