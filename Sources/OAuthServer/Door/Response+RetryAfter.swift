import HTTPTypes
import Hummingbird
import OAuth

extension Response {
    /// The answer, which says when to come again (RFC 9110 §10.2.3); nil: it does not.
    func retrying(after wait: Duration?) -> Response {
        guard let wait else { return self }
        var response = self
        response.headers[.retryAfter] = "\(wait.secondsRoundedUp)"
        return response
    }
}
