"""Every bound in one place, each with its reason. Past a bound is an error, never a truncation."""

from __future__ import annotations

# -- what one notice may hold -----------------------------------------------------------------
PIECES_PER_NOTICE = 2_000  # a 14-hour flight with a corridor piece every 30 s fits
VERTICES_PER_PIECE = 10_000  # a national border at 1:1,000,000 fits; the pair test stays bounded
VERTICES_PER_NOTICE = 50_000  # bounds the worst pair of notices a hostile peer can make us check
RADIUS_MAX_M = (
    2_000_000  # 1,080 NM: larger than any published closure; beyond it a circle is a hemisphere
)
MOVING_SPEED_MAX_MPS = (
    4_000  # faster than any aircraft; a typing error in a time or place is faster
)
NAME_CHARS = 64  # a notice name must fit a spoken read-back and a screen column
TEXT_CHARS = 4_000  # a page of plain language; more belongs in a document, quoted by hash
REGION_CHARS = 200  # a place as people say it; a longer description belongs in the text
INTERVAL_MAX_S = (
    400 * 86_400
)  # just over a year: standing areas are re-filed yearly, typos in the year are caught
ALTITUDE_MIN_M = -2_000  # below the lowest land and mine airfields
ALTITUDE_MAX_M = 1_000_000  # above any air activity, with room for re-entry hazards

# -- what one message may hold ----------------------------------------------------------------
STATEMENT_BYTES = (
    4 * 2**20
)  # a notice at its own limits fits with room; one message cannot fill memory
BODY_FIELDS = 64  # the largest type has nine; more is an attack on the screen
FRAME_BYTES = 16 * 2**20  # a batch of statements; four at the limit, hundreds of ordinary ones
FRAME_STATEMENTS = (
    64  # keeps a batch's commit under about 200 ms, so that safety traffic never waits longer
)
API_BODY_BYTES = 8 * 2**20  # a GeoJSON file at the notice limits, with white space
CHECK_FILE_BYTES = (
    128 * 2**20
)  # a day of a busy region in one file (the Swiss day: 9 MB a side); offline, so only memory bounds it
BUNDLE_BYTES = 32 * 2**20  # a statement at its limit, its receipts and their proofs fit with room
BUNDLE_HEADS = 64  # that bound one time: two for each cosigner of the largest agreement, with room
ABSENCE_BYTES = 256 * 2**20  # every leaf of a long record and every statement of one party
ABSENCE_ENTRIES = 200_000  # some ten years of four notices an hour; a reader needs 1 GB for it
JSON_DEPTH = 32  # GeoJSON needs 8; deeper is an attack on the parser's stack

# -- what a hostile sender may cost us ---------------------------------------------------------
EVIDENCE_SAMPLES_PER_PEER_DAY = (
    100  # unsigned rubbish is sampled, so evidence cannot become a flood
)
EVIDENCE_SAMPLE_BYTES = (
    64 * 2**10
)  # holds any ordinary statement whole; a day of samples is 6 MB a peer
CLOCK_SKEW_FLAG_S = 300  # a claimed time further off than this is flagged, never refused
PARTIES_PER_AGREEMENT = 20  # the scale of design.md; a mesh above that is split by area
WITNESSES_PER_AGREEMENT = 16  # each costs a request a checkpoint; a quorum is drawn from fewer
POLICY_LINES_OF_A_KIND = 128  # logs, witnesses, groups in a policy; C2SP asks for 32 at least
POLICY_BYTES = 2**20  # that many of each, with keys of 1.8 kB and room for comments
TILES_KEPT = 64  # full tiles of our log kept ready: 2 MB at most
WITNESSED_WHOLE = (
    1_000  # newest heads of each log kept whole: a quarter of an hour of one a second, 10 MB
)
WITNESSED_SLOT_S = (
    600  # of older heads the first and last in each: a busy log costs at most 3 MB a day
)
STAMP_BYTES = 32 * 2**10  # a token with a chain of certificates has 2 to 8 KB
MIRROR_ORIGIN_BYTES = 255  # tlog-cosignature writes its length in one byte
MIRROR_TICKET_BYTES = 1024  # we give none; a proxy of a mirror may
MIRROR_ENTRY_BYTES = 1024  # a leaf has 112; a package of 256 is then at most 260 KB
MIRROR_PACKAGES = 32  # taken of one request; tlog-mirror's clients SHOULD send no more
MIRROR_EXCESS = MIRROR_PACKAGES * 256  # entries sent again: one request's worth, after a race
MIRROR_BYTES = 256 * 2**20  # of one party's entries: two million leaves, years of a busy node
MIRROR_UPLOAD_PACKAGES = (
    4  # sent in one request: 1,024 leaves are opened in some 50 ms, in which nothing else is done
)
QUORUM_LATE_S = (
    600  # witnesses cosign within seconds; a restart or a short outage is no matter for officers
)
MIRROR_STALL_S = 20  # without a byte; then what came counts and the rest is for another request
MIRROR_REQUEST_S = 120  # of one request; no honest client needs a tenth
SIGN_IN_BODY_BYTES = 64 * 2**10  # a passkey's answer is 1 to 5 KB; anybody may send one
PASSKEY_CHALLENGES = (
    1_000  # that wait for an answer; past it the oldest goes, and its owner asks again
)
PASSKEYS_PER_OPERATOR = 10  # a key at each desk and a spare; more are keys that nobody remembers
LINKS_PER_OPERATOR = 10  # one-use links that wait; past it the oldest goes
UNLOCK_TRIES = 5  # a hand that slips has enough; who passes by a locked screen has too few
INTENTS_WAITING = (
    10_000  # notices that wait, unsigned, for a line to come back: days of busy traffic
)
OPENED_AT_ONCE = 64  # messages of a thread said to be opened at one look, each with a signature: some 50 ms in all
DEADLINES_AT_ONCE = 64  # passed in one transaction, each with a signature: some 50 ms in all
PASSPHRASE_LEAST_CHARS = (
    12  # who has the file may try for years; scrypt makes each try cost a second
)
PASSPHRASE_CHARS = 1_000  # a page; longer is a file given by mistake
KEYS_PER_PARTY = (
    100  # certificates of one party brought to a witness: a rotation a month for eight years
)
LEARNED_BYTES = 2 * 2**20  # that many, at 7 KB each, with room for their revocations
COURIER_FRAMES = (
    31  # files beside the first: 2,048 statements in one journey, some seconds of sealing
)
COURIER_BYTES = 64 * 2**20  # or this much; what is left goes with the next journey
RENEWED_AT_ONCE = 400  # old heads in one entry, some 10 KB each: one for every two hours of a month
TALKS_AT_ONCE = 200  # threads in one answer: some days of talk, 100 KB
ASSETS_MOST = 500  # on an operator's own list, kept by hand; each is measured against each notice that is looked at
ASSET_MOVES_S = 30 * 86_400  # what needs more than a month to move is a site, and is not going to
BACK_STEP_US = (
    1_000_000  # entries may overtake each other by milliseconds; more is a clock that was set
)
TRIES_MOST = 1_000  # that one question is asked again; a day of tries at one a minute and a half
UNITS_PER_NOTICE = 200  # told of one notice: every squadron of an air force; each is named by hand
OUTBOX_PER_LINK = 200_000  # bounded by disk rather than memory; a month of silence at 4 a minute

# -- what checking a shape or a pair may cost ---------------------------------------------------
EDGE_PARTS_PER_NOTICE = 100_000  # 10 km parts: 25 times round the earth; about 2 s to make, once
EDGE_PAIRS_PER_OUTLINE = 100_000  # 300 edges that all pass near each other are still fine
EDGE_PAIRS_PER_EDGE = 50  # a national border has 3 to 5 near edges for each; a hostile comb, all
EDGE_PAIRS_PER_PAIR = 5_000_000  # what one pair of notices may cost to judge: about 3 s at worst

# -- what a console is shown ---------------------------------------------------------------------
SUMMARY_CHARS = (
    280  # of a notice's or an alarm's text in a list; the whole of it is one request away
)
LINE_ALARMS_KEPT = 200  # ten a peer in the largest agreement; a line that flaps fills no memory
ACKNOWLEDGED_AT_ONCE = 1_000  # alarms in one request: a screen of them; each is an entry
PICTURE_SLICE = 10  # notices drawn between two looks at the clock: a few ms, or ten long flights
PICTURE_JOB_S = 0.03  # drawn in one job, in which nothing else is answered; then others come first
DRAWN_BYTES_KEPT = 64 * 2**20  # outlines kept ready: 40,000 circles, or 200 long flights

# -- what an officer may paste -------------------------------------------------------------------
READ_BYTES = 256 * 2**10  # a country's border as KML or a page of NOTAMs; larger is a file to file
KML_DEPTH = 32  # folders in folders; deeper is an attack on whoever shows them
KML_ELEMENTS = (
    50_000  # a day of placemarks with their styles; bounds what a small file can unfold to
)
READ_FEATURES = 500  # shapes that an officer can look through before filing one

# -- what is said in conversation ----------------------------------------------------------------
PHRASE_SLOTS = 8  # the longest phrase has four; more is an attack on the screen
PHRASE_NUMBER = 1_000_000_000  # seconds of thirty years, or any count an officer can mean
DRAFTS_WAITING = 100  # messages that wait for a second officer; more means that nobody releases
LEAVING_SEGMENTS = 2_000  # of an outline, for the way out of it: 100 m of a 200 km coast
WORDS_QUESTIONS = 10  # about one notice's words; an officer reads three
CALL_S = 86_400  # a line that was held open for a day; longer is a typing error

# -- what an officer is advised --------------------------------------------------------------------
ADVICE_TIME_S = 7 * 86_400  # a delay of more than a week is another activity
ADVICE_ALTITUDE_M = ALTITUDE_MAX_M - ALTITUDE_MIN_M  # as far as a notice can go at all
ADVICE_ASIDE_NM = 100  # farther aside is another place
ADVICE_ASIDE_LAT_DEG = (
    83  # nearer to a pole an edge that is straight in degrees is bent by every move
)
ADVICE_ASIDE_PARTS = 1_000  # of edges that are moved or passed by; 3,200 places are looked at
ADVICE_COMBINED = (
    300  # pairs of pieces for which time and height are looked at together: each with each
)
PROPOSALS_OPEN = (
    16  # of one party about one conflict that wait for an answer; an officer reads three
)
# -- live tracks -----------------------------------------------------------------------------------
TRACK_SPEED_MAX_MPS = 2_000  # Mach 6: any aircraft; past it a straight line of minutes says nothing
TRACK_AGE_MAX_S = 300  # a report older than the look-ahead itself; then nobody knows where it is
TRACK_STALE_S = 60  # a report older than that raises and clears nothing; radar turns in 12 s
LOOK_AHEAD_MAX_S = 900  # a quarter of an hour of straight flight; beyond it plans say more
TRACK_LATERAL_MAX_M = 200_000  # 108 NM: minimum and uncertainty; larger is a volume
TRACKS_AT_ONCE = 1_000_000  # ten times the busiest sky; bounds memory at some 500 MB
TRACK_ID_CHARS = 64  # a call sign, an address, a name; it is spoken and shown
