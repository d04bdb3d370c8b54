// Loads the small modules of the portal. Every page works without any of them.
import { startLive } from "./live.js";
import { startKeys } from "./keys.js";
import { startMenu } from "./menu.js";
import { startFilter } from "./filter.js";
import { startPasskeys } from "./passkeys.js";
import { startFold } from "./fold.js";
import { startExplain } from "./explain.js";
import { startZones } from "./zones.js";

startMenu();
startKeys();
startLive();
startFilter();
startPasskeys();
startZones();
startFold();
startExplain();
