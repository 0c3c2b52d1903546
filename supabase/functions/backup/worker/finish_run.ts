/** The last worker's part: closing parts, verification, manifest, rotation, success. */
import { ADLER_OF_NOTHING, combineAdler32 } from "../archive/adler.ts";
import { closeBlock } from "../archive/block.ts";
import { BackupError } from "../errors.ts";
import { type Manifest, readManifest, writeManifest } from "../manifest/manifest.ts";
import { sha256Hex } from "../manifest/sha256.ts";
import { verifyParts } from "../manifest/verify.ts";
import { rotate } from "../rotation/rotate.ts";
import type { Finish, StoredPart } from "../run/verbs.ts";
import { COST } from "../slices/budget.ts";
import { PARTS_PER_SLICE } from "../slices/plan.ts";
import type { PieceResult } from "../slices/piece.ts";
import { MANIFEST_TYPE, partName, storePart, type Worker } from "./worker.ts";
