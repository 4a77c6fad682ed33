import * as v from 'valibot'

/** What is wrong with a value, and where in it: `services.0.port: Invalid type: …`. */
export function describeIssue([issue]: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  const place = v.getDotPath(issue)
  return place === null ? issue.message : `${place}: ${issue.message}`
}
