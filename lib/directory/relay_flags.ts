/** What a relay says of itself, a set of bits: it is neither entry nor exit. */
export const ROLE_MIDDLE_ONLY = 1;
/** It takes part in the mix chain. */
export const ROLE_MIX = 2;
/** All roles that there are. */
export const ALL_ROLES: number = ROLE_MIDDLE_ONLY | ROLE_MIX;

/** What the controllers say of a relay, a set of bits: it may be the first of a circuit. */
export const FLAG_GUARD = 1;
/** It may be the last of a circuit, as far as its policy permits. */
export const FLAG_EXIT = 2;
/** It may be part of a mix chain. */
export const FLAG_MIX = 4;
/** It is neither entry nor exit, because it said so. */
export const FLAG_MIDDLE_ONLY = 8;
/** All flags that there are. */
export const ALL_FLAGS: number = FLAG_GUARD | FLAG_EXIT | FLAG_MIX |
  FLAG_MIDDLE_ONLY;
