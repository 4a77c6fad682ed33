// A member that means harm, in a process of its own: it sends one kind of frame as fast as the hub takes it.
import { setImmediate as turn } from 'node:timers/promises'
import { FLOODS } from '../../tunnel/helpers/floods.ts'
import { linkId, RealHub, type Joined } from '../../tunnel/helpers/real-hub.ts'
import { open } from '../../tunnel/helpers/switched.ts'
import { work } from '../processes/worker.ts'

export interface HostileJobs {
  join: { input: { hub: string; token: string }; output: undefined }
  /** Answers with how many times it has sent a few hundred frames. */
  flood: { input: { name: string; service: string; forMs: number }; output: number }
  /** Comes, and goes without a word or is refused, eight at a time. Answers with how often. */
  storm: { input: { forMs: number }; output: number }
}

const AT_A_TIME = 8

let hub: RealHub
let self: Joined

work<HostileJobs>({
  async join({ hub: url, token }) {
    hub = await RealHub.at(url, async () => token)
    self = await hub.join()
  },
  async flood({ name, service, forMs }) {
    const peer = await hub.link(self)
    peer.send(open(1, service))
    await peer.next('openOk')
    peer.listen(() => {})
    const next = FLOODS[name]!(service)
    let count = 0
    for (const end = performance.now() + forMs; peer.isOpen && performance.now() < end; count++) {
      await peer.write(next())
      await turn()
    }
    peer.vanish()
    return count
  },
  async storm({ forMs }) {
    let count = 0
    const end = performance.now() + forMs
    // A machine of its own: the hub soon lets it in no more, for a while.
    const { signer } = await hub.join()
    const one = async () => {
      const claims = { purpose: 'link', link: linkId(), role: 'agent' }
      for (let epoch = 1; performance.now() < end; epoch++, count++) {
        const { peer } = await hub.dial(await signer.sign({ ...claims, epoch }, await hub.nonce()))
        peer?.vanish()
      }
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, one))
    return count
  },
})
