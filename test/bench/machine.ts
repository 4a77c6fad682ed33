import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'

/** What the figures were taken on, without anything that names this one machine. */
export function describeMachine(): string {
  const model = cpus()[0]?.model.replaceAll(/\s+/g, ' ').trim() || 'unknown processor'
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${availableParallelism()} × ${model}, ${memory} GB, ${process.platform} ${process.arch}, Node.js ${process.versions.node}`
}

/** @returns what to say if others use this machine too: ask before the work begins, which is a load itself */
export function busyNote(): string | undefined {
  const [load = 0] = loadavg()
  if (load <= availableParallelism() / 2) return undefined
  return `[!] This machine was busy at the start (load ${load.toFixed(1)}): the figures say little.`
}
