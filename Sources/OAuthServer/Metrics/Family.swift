/// Every metric that `/metrics` serves: its name, its type and what it says (docs/observability.md).
///
/// Names are kept for ever: alert rules and dashboards of others are written against them.
enum Family: String, CaseIterable, Sendable {
    case buildInfo = "latchkey_build_info"

    case requests = "latchkey_http_requests_total"
    case requestDuration = "latchkey_http_request_duration_seconds"
    case connections = "latchkey_http_connections"
    case cutRequests = "latchkey_http_cut_total"

    case grants = "latchkey_token_grants_total"
    case connected = "latchkey_connections_made_total"
    case disconnected = "latchkey_connections_cut_total"
    case signIns = "latchkey_sign_ins_total"
    case securityEvents = "latchkey_security_events_total"

    case databaseFaults = "latchkey_database_faults_total"
    case databaseConnections = "latchkey_database_connections"
    case databaseWaiting = "latchkey_database_waiting"
    case databaseWaits = "latchkey_database_waits_total"
    case databaseRefusals = "latchkey_database_refusals_total"
    case databaseCommits = "latchkey_database_commits_total"
    case databaseTransactions = "latchkey_database_transactions_total"
    case databaseHazards = "latchkey_database_hazards"

    case passwordQueue = "latchkey_password_queue"
    case passwordRefusals = "latchkey_password_refusals_total"

    case snapshotAge = "latchkey_snapshot_age_seconds"
    case signingKeys = "latchkey_signing_keys"
    case signingKeyAge = "latchkey_signing_key_age_seconds"
    case signingKeyNext = "latchkey_signing_key_next_seconds"

    case outbox = "latchkey_webhook_outbox_events"
    case outboxAge = "latchkey_webhook_outbox_oldest_seconds"
    case webhookAttempts = "latchkey_webhook_attempts_total"
    case sweeps = "latchkey_sweeps_total"
    case sweptRows = "latchkey_swept_rows_total"
    case spans = "latchkey_spans_total"
    case logDropped = "latchkey_log_lines_dropped_total"

    case processCPU = "process_cpu_seconds_total"
    case processMemory = "process_resident_memory_bytes"
    case processFiles = "process_open_fds"
    case processFileLimit = "process_max_fds"
    case processStart = "process_start_time_seconds"

    /// A type of the text format.
    enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    /// Its type, which its name tells as well.
    var kind: Kind {
        switch self {
        case .requestDuration: .histogram
        case _ where rawValue.hasSuffix("_total"): .counter
        default: .gauge
        }
    }

    /// The labels that tell its samples apart, without the histogram's own.
    var labels: [String] {
        switch self {
        case .buildInfo: ["version", "engine"]
        case .requests: ["endpoint", "method", "status"]
        case .requestDuration: ["endpoint"]
        case .grants: ["grant", "outcome"]
        case .signIns: ["person", "outcome"]
        case .securityEvents: ["event"]
        case .databaseFaults: ["kind"]
        case .databaseConnections: ["state"]
        case .databaseRefusals, .cutRequests: ["reason"]
        case .passwordQueue, .passwordRefusals: ["person"]
        case .webhookAttempts, .sweeps, .spans: ["outcome"]
        case .sweptRows: ["table"]
        default: []
        }
    }

    /// What it says, in a sentence.
    var help: String {
        switch self {
        case .buildInfo: "Always 1; the labels tell the release and the database engine."
        case .requests: "Requests answered, by the route's path, method and class of status."
        case .requestDuration: "How long requests took, from their routing to their answer, by the route's path."
        case .connections: "Connections from outside that are open."
        case .cutRequests:
            "Requests that were ended before they were routed, by reason: late (408), malformed (400), or shed (503)."
        case .grants: "Token requests by grant type and outcome: ok, or the error's code."
        case .connected: "Codes that became a connection."
        case .disconnected: "Connections that their client or their owner ended, or that a replay or a reuse cut."
        case .signIns: "Sign-ins of customers and operators, by outcome."
        case .securityEvents: "Security events; each is a line of the log with the same name as its event."
        case .databaseFaults: "Questions to the database that failed, by kind."
        case .databaseConnections: "Connections to the database, by state."
        case .databaseWaiting: "Callers that wait for a connection to the database, or for its next commit."
        case .databaseWaits: "Callers that found no free connection to the database and had to wait."
        case .databaseRefusals:
            "Callers that were refused, by reason: busy, because no connection came free in time or too many waited, or away, because no server answers."
        case .databaseCommits: "Transactions that the database committed."
        case .databaseTransactions:
            "Transactions of the ledger that were committed; several share a commit of the embedded database."
        case .databaseHazards: "What a crash or a failover could take away, as last found; /readyz names it."
        case .passwordQueue: "Passwords that are being checked or wait for it."
        case .passwordRefusals: "Passwords that were not checked, because too many waited."
        case .snapshotAge: "How long ago this node was last in step with the database's clients and keys."
        case .signingKeys: "Signing keys that are published."
        case .signingKeyAge: "How long the key that signs has been signing."
        case .signingKeyNext: "In how long the next published key begins to sign; 0 when there is none."
        case .outbox: "Webhook events that are neither delivered nor given up, in the whole cluster."
        case .outboxAge: "How old the oldest of them is; 0 when there is none."
        case .webhookAttempts: "Attempts to deliver a webhook, by outcome."
        case .sweeps: "Runs of the sweep that deletes what has expired, by outcome."
        case .sweptRows: "Rows that the sweep deleted, by table."
        case .spans: "Spans of traces, by outcome: sent to the collector, or lost."
        case .logDropped: "Lines of the log that were dropped because nobody read them in time."
        case .processCPU: "User and system time that the process has used."
        case .processMemory: "Resident memory."
        case .processFiles: "Open file descriptors."
        case .processFileLimit: "How many file descriptors may be open."
        case .processStart: "When the process started, in seconds since 1970."
        }
    }
}
