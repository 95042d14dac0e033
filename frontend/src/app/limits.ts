/** Figures from documents that the phone needs offline; the server decides by the same ones. */

/** What is followed up at once of what is recorded from a day on, as the server says it. */
export interface FindingRules {
  from_on: string
  /** °C */
  temperature_c: number
  symptoms: boolean
  contact: boolean
}
/** Those of the national plan of January 2020, for a phone that has not heard others. */
export const FIRST_RULES: FindingRules = { from_on: '', temperature_c: 37.3, symptoms: true, contact: true }

/** Whether the committee follows an answer up at once; the server decides by the same rules. */
export function isFinding(rules: FindingRules, status: string, temperature: number | null | undefined, isContact: boolean | undefined): boolean {
  return (temperature ?? 0) >= rules.temperature_c || (rules.symptoms && status === 'symptoms') || (rules.contact && !!isContact)
}
/** °C that a thermometer can mean on a person. */
export const TEMPERATURE_RANGE = [34, 43] as const
/** Characters a new password must have; the server asks for the same. */
export const PASSWORD_LENGTH = 8
