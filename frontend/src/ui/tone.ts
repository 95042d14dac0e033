/** The kit's one vocabulary of states; each tone is a colour pair in tokens.css. */
export type Tone = 'plain' | 'grey' | 'green' | 'amber' | 'red'
