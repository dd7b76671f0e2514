package postgres

// Codes of PostgreSQL's errors that matter one by one.
const (
	codeSerialization  = "40001"
	codeDeadlock       = "40P01"
	codeUnknown        = "40003" // whether a statement was carried out; some that speak PostgreSQL's protocol say it of a commit
	codeLockTimeout    = "55P03"
	codeInUse          = "55006" // such as a database that is being copied
	codeReadOnly       = "25006" // a standby, or a server that was told to take no writes
	codeTimeout        = "57014" // of a statement
	codeIdle           = "25P03" // of a transaction whose node did not go on: its session was ended
	codeTooLong        = "25P04" // likewise, for all of a transaction
	codeNoPassword     = "28P01"
	codeNoAccess       = "28000"
	codeNoDatabase     = "3D000"
	codeNotAllowed     = "42501"
	codeNoStatement    = "26000" // that a session has prepared: a pooler gave us another one
	codeStatementTwice = "42P05" // likewise
	codeNoFeature      = "0A000" // that the server has
	codeNoObject       = "42704" // such as a setting
	codeNoFunction     = "42883"
	codeBadValue       = "22023" // of a setting
	codeNotNumber      = "22P02" // of a text that is cast: so a statement ends a transaction that must not go on
)

// verdict says what to do about an error of the server.
type verdict uint8

const (
	refusal verdict = iota + 1 // an operator has to put something right, or this program is wrong
	again                      // others were in the way: try again at once
	away                       // the server can't work now: try again for a while
	slow                       // it took too long: try again later
)

// verdicts are those of all classes of SQLSTATE, the first two characters of a
// code, by the appendix "PostgreSQL Error Codes" of its manual, and one of another server.
var verdicts = map[string]verdict{
	"00": refusal, // success, as an error
	"01": refusal, // a warning, as an error
	"02": refusal, // no data
	"03": refusal, // statement not yet complete
	"08": away,    // connection exception
	"09": refusal, // triggered action exception
	"0A": refusal, // feature not supported: not a PostgreSQL, or too old
	"0B": refusal, // invalid transaction initiation
	"0F": refusal, // locator exception
	"0L": refusal, // invalid grantor
	"0P": refusal, // invalid role specification
	"0Z": refusal, // diagnostics exception
	"10": refusal, // XQuery error
	"20": refusal, // case not found
	"21": refusal, // cardinality violation
	"22": refusal, // data exception
	"23": refusal, // integrity constraint violation
	"24": refusal, // invalid cursor state
	"25": refusal, // invalid transaction state
	"26": refusal, // invalid statement name
	"27": refusal, // triggered data change violation
	"28": refusal, // invalid authorization: a password that has changed
	"2B": refusal, // dependent privileges exist
	"2D": refusal, // invalid transaction termination
	"2F": refusal, // routine exception
	"34": refusal, // invalid cursor name
	"38": refusal, // external routine exception
	"39": refusal, // external routine invocation exception
	"3B": refusal, // savepoint exception
	"3D": refusal, // there is no such database
	"3F": refusal, // there is no such schema
	"40": again,   // transaction rollback: serialization failure, deadlock
	"42": refusal, // syntax error or access rule violation
	"44": refusal, // check option violation
	"53": away,    // insufficient resources: disk full, out of memory, too many connections
	"54": refusal, // program limit exceeded
	"55": refusal, // object not in the state that is needed
	"57": away,    // operator intervention: shutdown, crash, still starting
	"58": away,    // system error: input or output of the server
	"72": again,   // snapshot too old
	"F0": refusal, // configuration file error
	"HV": refusal, // foreign data
	"P0": refusal, // PL/pgSQL, such as a trigger of the operator's
	"XX": refusal, // internal error, such as damaged data
	"YB": again,   // YugabyteDB: a conflict, a read to be restarted, a deadlock
}

// exceptions are codes with another verdict than their class.
var exceptions = map[string]verdict{
	codeReadOnly:    away,
	codeIdle:        again,
	codeTooLong:     again,
	codeLockTimeout: again,
	codeInUse:       again,
	codeTimeout:     slow,
}

// verdictOf returns that of an error of the server. A class that there was not when
// this was written is a refusal.
func verdictOf(err error) verdict {
	code := pgCode(err)
	if v, ok := exceptions[code]; ok {
		return v
	}
	if len(code) >= 2 {
		if v, ok := verdicts[code[:2]]; ok {
			return v
		}
	}
	return refusal
}
