/// The error codes of a CALLERROR, spelt as OCPP-J 1.6 table 7 spells them.
public enum CallErrorCode: String, Hashable, Sendable, CaseIterable {
  case notImplemented = "NotImplemented"
  case notSupported = "NotSupported"
  case internalError = "InternalError"
  /// The payload is incomplete.
  case protocolError = "ProtocolError"
  case securityError = "SecurityError"
  /// The payload is syntactically wrong, or not an object.
  case formationViolation = "FormationViolation"
  /// A member has a value that it cannot have.
  case propertyConstraintViolation = "PropertyConstraintViolation"
  /// A member that must be there is not. (The specification spells it so.)
  case occurrenceConstraintViolation = "OccurenceConstraintViolation"
  /// A member has the wrong type.
  case typeConstraintViolation = "TypeConstraintViolation"
  case genericError = "GenericError"
}

/// Why a CALL cannot be served: what the CALLERROR says.
public struct CallFault: Error, Hashable, Sendable {
  public var code: CallErrorCode
  public var description: String
  public init(_ code: CallErrorCode, _ description: String) { (self.code, self.description) = (code, description) }
}
