/** A door into DJL's package-private native methods; see {@link ai.djl.pytorch.jni.LibTorch}. */
@org.jspecify.annotations.NullMarked
package ai.djl.pytorch.jni;
