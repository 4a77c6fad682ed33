import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { programFile } from '../processes/program-file.ts'

/** A certificate for loopback that is its own authority, P-256. @returns its files @throws NotThereError */
export function makeCertificate(folder: string): { cert: string; key: string } {
  const [cert, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')]
  const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost'
  const what = ['-subj', '/CN=localhost', '-addext', names, '-days', '2']
  const form = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  execFileSync(programFile('openssl'), ['req', '-x509', ...form, ...what, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  })
  return { cert, key }
}
