import { bore } from './peers/bore.ts'
import { chisel } from './peers/chisel.ts'
import { connectPlain, connectTls } from './connect.ts'
import { direct } from './direct.ts'
import { frp, frpTls } from './peers/frp.ts'
import { nodePipe } from './node-pipe.ts'
import { openssh } from './peers/openssh.ts'
import { rathole } from './peers/rathole.ts'
import { socat } from './peers/socat.ts'
import type { Topology } from './topology.ts'
import { wstunnel, wstunnelTls } from './peers/wstunnel.ts'

/** All that are measured beside each other, in the order of their columns. */
export const TOPOLOGIES: readonly Topology[] = [
  connectPlain,
  connectTls,
  nodePipe,
  socat,
  openssh,
  frp,
  frpTls,
  chisel,
  wstunnel,
  wstunnelTls,
  rathole,
  bore,
  direct,
]
