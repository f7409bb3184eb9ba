import HTTPTypes
import Hummingbird
import NIOCore
import OAuth

/// The stylesheet and pictures of the pages.
extension Provider {
    func asset(_ request: Request, _ context: DoorContext) async throws -> Response {
        guard let asset = context.parameters.get("name").flatMap({ pages.assets[$0] }) else {
            throw PageRefusal(
                problem: .known(.notFound),
                error: OAuthError(.invalidRequest, "there is no asset of this name"),
                status: .notFound
            )
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: asset.contentType,
                .cacheControl: asset.isNamedByContent ? "public, max-age=31536000, immutable" : "public, max-age=300",
                .xContentTypeOptions: "nosniff",
            ],
            body: .init(byteBuffer: ByteBuffer(bytes: asset.bytes))
        )
    }
}
