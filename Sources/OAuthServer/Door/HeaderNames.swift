import HTTPTypes

/// Header names that the HTTP library does not list.
extension HTTPField.Name {
    static let xForwardedFor = Self(known: "X-Forwarded-For")
    static let secFetchSite = Self(known: "Sec-Fetch-Site")
    static let frameOptions = Self(known: "X-Frame-Options")
    static let referrerPolicy = Self(known: "Referrer-Policy")
    static let pragma = Self(known: "Pragma")
    static let requestID = Self(known: "X-Request-Id")
    static let traceParent = Self(known: "traceparent")
    static let forwarded = Self(known: "Forwarded")
    static let xRealIP = Self(known: "X-Real-IP")
    static let xForwardedProto = Self(known: "X-Forwarded-Proto")
    static let xForwardedHost = Self(known: "X-Forwarded-Host")
    static let cfConnectingIP = Self(known: "CF-Connecting-IP")
    static let trueClientIP = Self(known: "True-Client-IP")
    static let crossOriginOpenerPolicy = Self(known: "Cross-Origin-Opener-Policy")

    private init(known name: StaticString) {
        guard let name = Self("\(name)") else { preconditionFailure("\(name) is not a header name") }
        self = name
    }
}
