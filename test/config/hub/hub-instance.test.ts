import { expect, test } from 'vitest'
import { hubInstance } from '../../../src/config/hub/hub-instance.ts'

test.skipIf(process.platform === 'win32')('the hub’s socket lies beside its data', () => {
  expect(hubInstance({ dataDir: '/srv/hub' }).socketPath).toBe('/srv/hub/hub.sock')
})
