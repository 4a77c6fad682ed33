import { requireConfig, updateConfig } from '../config/config.ts'
import type { Instance } from '../config/instance.ts'
import { proxyToSave } from '../config/proxy/proxy.ts'

/**
 * What this environment says of proxies is saved for the daemon: a service is started without it, and its
 * unit is no place for a password.
 *
 * @returns whether that is new
 * @throws ConnectError BAD_PROXY, WRITE_FAILED
 */
export function rememberProxy(instance: Instance): boolean {
  const saved = requireConfig(instance)
  const { proxy } = updateConfig(instance, saved, { proxy: proxyToSave(saved, process.env) })
  return proxy !== saved.proxy
}
