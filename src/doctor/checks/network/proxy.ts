import { isLoopback } from '../../../config/hub-url.ts'
import { proxyToSave, shownProxy } from '../../../config/proxy/proxy.ts'
import type { Check } from '../../check.ts'
import { WAY_MS, type WayContext } from '../../way/way-of.ts'

/** Whether it leads to the hub. The daemon has no shell’s environment, and goes by its config. */
export const proxy: Check<WayContext> = {
  name: 'proxy',
  group: 'network',
  title: 'Proxy',
  timeoutMs: WAY_MS,
  async run(context) {
    const way = await context.way()
    const isDaemons = proxyToSave(way.config, process.env) === way.config.proxy
    const isDirect = isLoopback(new URL(way.config.hub).hostname) || isDaemons
    const fix = 'Run: connect daemon restart (which takes over what this shell has)'
    if (!(await way.proxy()) && !isDirect)
      return {
        state: 'warning',
        seen: 'This shell goes without one, and the daemon by the one of its config',
        fix,
      }
    const { url, source } = await way.tunnel()
    const seen = `${shownProxy(url)}, set in ${source}, leads to the hub`
    if (isDaemons) return { state: 'ok', seen }
    return { state: 'warning', seen: `${seen}; the daemon has another one, or none`, fix }
  },
}
