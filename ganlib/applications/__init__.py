"""What a trained model is good for beyond sampling.

directions      latents moved along directions        discovery       how directions are found
effects         what a direction changes, its name    statistics      what is seen of an image at once
"""
