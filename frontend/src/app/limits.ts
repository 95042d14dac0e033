/** Figures from documents that the phone needs offline; the server decides by the same ones. */

/** °C from which a temperature is a fever (national plan of January 2020). */
export const FEVER_FROM = 37.3
/** °C that a thermometer can mean on a person. */
export const TEMPERATURE_RANGE = [34, 43] as const
/** Characters a new password must have; the server asks for the same. */
export const PASSWORD_LENGTH = 8
