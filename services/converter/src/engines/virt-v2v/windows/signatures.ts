/**
 * hiberfil.sys of a system that sleeps (`HIBR`) or was about to wake (`RSTR`). After waking it says `WAKE`, or nothing
 * once Windows was shut down for good. Fast startup is hibernation too, of all but the users' sessions.
 */
export const isHibernated = (hiberfil: string): boolean => /^(HIBR|RSTR)/i.test(hiberfil);
