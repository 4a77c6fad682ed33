/** What sets a clock by others in the network, and keeps it set: sntp(1) of macOS, timedatectl(1). */
export function setClockCommand(): string {
  return process.platform === 'darwin' ? 'sudo sntp -sS time.apple.com' : 'sudo timedatectl set-ntp true'
}
